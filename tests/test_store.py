"""Files that survive a kill: torn and damaged lines, whole replacements, the lock, and the manifest of a run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.errors import CellError, UsageError
from mmbench.store import Journal, dumps, finite, flatten, locked, open_run, read_jsonl, write_atomic

RUN = {"format": 1, "fingerprint": {"task": {"name": "a"}, "model": {"rate": 16000, "stages": ["x", "y"]}}}
HOLD = "import sys, time; from pathlib import Path; from mmbench.store import locked\n"
HOLD += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


def journal(path, *rows):
    """Append rows as one process does."""
    opened = Journal(path)
    opened.append(rows)
    opened.close()


def values(path):
    return [value for _, value in read_jsonl(path, strict=True)]


# JSON


def test_nan_and_infinities_are_null():
    value = {"a": float("nan"), "b": [1.5, float("inf"), {"c": (float("-inf"), "NaN")}]}
    assert json.loads(dumps(value)) == {"a": None, "b": [1.5, None, {"c": [None, "NaN"]}]}
    assert finite(True) is True


def test_every_script_is_readable_and_half_a_character_is_escaped():
    assert dumps("नमस्ते ไทย") == '"नमस्ते ไทย"'
    assert dumps("a\udc80b\n") == r'"a\udc80b\n"'
    assert json.loads(dumps("a\udc80b\u2028")) == "a\udc80b\u2028"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
json_rows = st.lists(st.dictionaries(st.text(), json_values, max_size=4), max_size=4)


@given(json_rows)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_rows_come_back_as_they_were(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "a.jsonl"
    journal(path, *rows)
    assert values(path) == rows
    assert path.read_bytes().count(b"\n") == len(rows)


# A damaged line


@pytest.mark.parametrize("damage", [b'{"n": 2', b"\0" * 9, b"\xff\xfe", b"[" * 100_000, b"}{"])
def test_damaged_line_of_our_own_is_passed_over(tmp_path, caplog, damage):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 1}\n' + damage + b'\n\n{"n": 3}\n')
    assert list(read_jsonl(path, strict=False)) == [(1, {"n": 1}), (4, {"n": 3})]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert f"{path}:2: a damaged line is passed over" in caplog.text
    with pytest.raises(UsageError, match=rf"{re.escape(str(path))}:2: not a line of JSON"):
        values(path)


# A torn last line


@given(json_rows.filter(lambda rows: len(rows) > 1), st.integers(0, 10**9))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_cut_costs_only_the_line_it_is_in(tmp_path_factory, rows, cut):
    path = tmp_path_factory.mktemp("rows") / "a.jsonl"
    journal(path, *rows)
    whole = path.read_bytes()
    kept = whole[: cut % (len(whole) + 1)]
    path.write_bytes(kept)
    journal(path, {"last": 1})
    # a line without its end is whole: no proper beginning of an object is an object
    complete = kept.count(b"\n") + (kept != whole and whole[len(kept) : len(kept) + 1] == b"\n" and len(kept) > 0)
    assert values(path) == [*rows[:complete], {"last": 1}]


def test_every_byte_of_the_last_two_lines(tmp_path):
    rows = [{"n": 1}, {"text": "नम\\\n", "x": [1, {}]}, {"text": '"}{', "n": 3}]
    lines = [(dumps(row) + "\n").encode() for row in rows]
    whole = b"".join(lines)
    path = tmp_path / "a.jsonl"
    for cut in range(len(lines[0]), len(whole) + 1):
        path.write_bytes(whole[:cut])
        journal(path, {"next": cut})
        kept = 1 + (cut >= len(whole) - len(lines[2]) - 1) + (cut >= len(whole) - 1)
        assert values(path) == [*rows[:kept], {"next": cut}], cut


@pytest.mark.parametrize("size", [60_000, 65_530, 65_536, 70_000, 131_072, 200_001])
@pytest.mark.parametrize("whole", [True, False])
def test_torn_line_that_is_longer_than_what_is_read_at_once(tmp_path, size, whole):
    path = tmp_path / "a.jsonl"
    long = dumps({"text": "x" * size})
    for before in (0, 1, 5_000):
        path.write_text("{}\n" * before + (long if whole else long[:-1]))
        journal(path, {"next": 1})
        assert values(path) == [{}] * before + [json.loads(long)] * whole + [{"next": 1}]


def test_cut_is_said_and_completion_is_not(tmp_path, caplog):
    path = tmp_path / "a.jsonl"
    path.write_text('{"n": 1}')
    journal(path)
    assert not caplog.records
    path.write_text('{"n": 1')
    journal(path)
    assert "the last line was cut off while it was written" in caplog.text
    assert path.read_bytes() == b""


def test_rows_are_there_before_the_journal_is_closed(tmp_path):
    opened = Journal(tmp_path / "a.jsonl")
    opened.append([{"n": 1}, {"n": 2}])
    assert values(tmp_path / "a.jsonl") == [{"n": 1}, {"n": 2}]
    opened.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_ends_the_cell(tmp_path):
    (tmp_path / "full.jsonl").symlink_to("/dev/full")
    opened = Journal(tmp_path / "full.jsonl")
    with pytest.raises(CellError, match=r"full\.jsonl: cannot be written \(No space left on device\); what was"):
        opened.append([{"n": 1}])
    opened.close()


# Whole files


def test_write_atomic_replaces(tmp_path):
    for text in ("old", "नया\n"):
        write_atomic(tmp_path / "a", text)
        assert (tmp_path / "a").read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_write_atomic_that_fails_keeps_the_old_and_leaves_nothing(tmp_path):
    write_atomic(tmp_path / "a", "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomic(tmp_path / "a", "\ud800")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CellError, match=r"folder: cannot be written \(Is a directory\)"):
        write_atomic(tmp_path / "folder", "x")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "a", tmp_path / "folder"]
    assert (tmp_path / "a").read_text() == "old"


# The lock


def test_second_process_is_refused_and_a_killed_one_holds_nothing(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(CellError, match=rf"process {holder.pid} on \S+ is at work on this cell"), locked(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with locked(tmp_path):
            assert str(os.getpid()) in (tmp_path / "lock").read_text()


def test_lock_is_released_by_an_error_and_refuses_the_same_process(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "new" / "cell"):
        _ = 1 / 0
    with (
        locked(tmp_path / "new" / "cell"),
        pytest.raises(CellError, match="at work"),
        locked(tmp_path / "new" / "cell"),
    ):
        pass


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be made"), locked(tmp_path / "file" / "cell"):
        pass


# The manifest of a run


def test_open_run_writes_once(tmp_path):
    open_run(tmp_path, {**RUN, "environment": {"time": float("nan")}})
    before = (tmp_path / "run.json").read_bytes()
    open_run(tmp_path, {**RUN, "environment": {"other": 1}})
    assert (tmp_path / "run.json").read_bytes() == before
    assert json.loads(before)["environment"] == {"time": None}


def test_open_run_names_what_differs(tmp_path):
    open_run(tmp_path, RUN)
    other = {"task": {"name": "b"}, "model": {"rate": 8000, "stages": ["x", "y"], "beam": 5}}
    with pytest.raises(UsageError) as caught:
        open_run(tmp_path, {"format": 1, "fingerprint": other})
    message = str(caught.value)
    assert "model.beam: None then, 5 now; model.rate: 16000 then, 8000 now; task.name: 'a' then, 'b' now" in message
    assert "stages" not in message
    assert "\n" not in message
    with pytest.raises(UsageError, match="format: 1 then, 2 now"):
        open_run(tmp_path, {**RUN, "format": 2})


def test_open_run_counts_what_it_does_not_name(tmp_path):
    open_run(tmp_path, {"fingerprint": {str(n): n for n in range(9)}})
    with pytest.raises(UsageError, match="and 5 more keys"):
        open_run(tmp_path, {"fingerprint": {}})


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "{}", '{"fingerprint": 3}', "\ufeff"])
def test_damaged_manifest_is_refused(tmp_path, text):
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"run\.json: not a run manifest"):
        open_run(tmp_path, RUN)


def test_flatten():
    assert flatten({"a": {"b": 1, 2: [3]}, "c": None}) == {"a.b": 1, "a.2": [3], "c": None}
