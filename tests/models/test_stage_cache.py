"""The stage cache: nothing is lost, nothing is mixed up, and a damaged file costs no run."""

from __future__ import annotations

import logging
import os
import random
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from mmbench.models.stage_cache import StageCache, key

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import sys, time
from pathlib import Path
from mmbench.models.stage_cache import StageCache
path, who, begin = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
time.sleep(max(0, begin - time.time()))
cache = StageCache(path)
for index in range(30):
    cache.put({f"{who}.{index}": f"text {who} {index}", f"shared.{index}": "first " * index})
cache.close()
"""


def test_texts_come_back_whatever_they_hold(tmp_path: Path) -> None:
    texts = {
        "empty": "",
        "lines": "a\nb\r\n\t",
        "scripts": "नमस्ते दुनिया 東京 \U0001f600",
        "nul": "a\0b",
        "long": "x" * 100_000,
    }
    cache = StageCache(tmp_path / "deep" / "er" / "stages.sqlite")
    cache.put(texts)
    assert cache.get([*texts, "unknown"]) == texts
    cache.close()
    again = StageCache(tmp_path / "deep" / "er" / "stages.sqlite")
    assert again.get(texts) == texts
    again.close()


def test_the_first_answer_stays(tmp_path: Path) -> None:
    one, two = StageCache(tmp_path / "s.sqlite"), StageCache(tmp_path / "s.sqlite")
    one.put({"k": "first"})
    two.put({"k": "second", "other": "new"})
    assert one.get(["k", "other"]) == {"k": "first", "other": "new"}


def test_keys_do_not_run_together() -> None:
    keys = [
        key("a", "bc"),
        key("ab", "c"),
        key("a", "b", "c"),
        key("abc", ""),
        key("a", "bc", ""),
        key("a", "bc", "eng"),
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("shared", [True, False])
def test_ten_threads_lose_nothing(tmp_path: Path, shared: bool) -> None:
    path = tmp_path / "s.sqlite"
    one = StageCache(path)
    failures: list[BaseException] = []

    def write(who: int) -> None:
        try:
            cache = one if shared else StageCache(path)
            for index in range(30):
                cache.put({f"{who}.{index}": str(index), f"shared.{index}": "x"})
                assert cache.get([f"{who}.{index}"])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(who,)) for who in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(one.get([f"{who}.{index}" for who in range(10) for index in range(30)])) == 300


def test_processes_that_begin_at_once_lose_nothing(tmp_path: Path) -> None:
    import time

    path = tmp_path / "s.sqlite"
    begin = str(time.time() + 1.5)
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*command, str(who), begin], stderr=subprocess.PIPE, text=True) for who in range(10)]
    for writer in writers:
        _, said = writer.communicate(timeout=120)
        assert (writer.returncode, said) == (0, "")
    cache = StageCache(path)
    wanted = {f"{who}.{index}": f"text {who} {index}" for who in range(10) for index in range(30)}
    assert cache.get(wanted) == wanted
    assert len(cache.get([f"shared.{index}" for index in range(30)])) == 30
    assert not list(tmp_path.glob("*damaged*"))


def filled(path: Path) -> bytes:
    cache = StageCache(path)
    cache.put({str(index): "text " * 50 for index in range(500)})
    cache.close()
    return path.read_bytes()


@pytest.mark.parametrize("damage", ["text", "cut", "pages", "header"])
def test_a_damaged_file_is_put_aside(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "s.sqlite"
    data = filled(path)
    noise = random.Random(0).randbytes(len(data))
    broken = {
        "text": b"this is no database, but it is long enough to look like one\n" * 20,
        "cut": data[: len(data) // 2],
        "pages": data[:4096] + noise[4096:],
        "header": noise[:100] + data[100:],
    }[damage]
    path.write_bytes(broken)
    path.with_name("s.sqlite-wal").write_bytes(b"what a killed process left")
    with caplog.at_level(logging.WARNING):
        cache = StageCache(path)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "s.sqlite.damaged" in caplog.text
    assert (tmp_path / "s.sqlite.damaged").read_bytes() == broken
    assert cache.get(["1"]) == {}
    cache.put({"1": "again"})
    cache.close()
    after = StageCache(path)
    assert after.get(["1"]) == {"1": "again"}
    after.close()


def test_an_empty_file_is_a_new_cache(tmp_path: Path) -> None:
    (tmp_path / "s.sqlite").touch()
    cache = StageCache(tmp_path / "s.sqlite")
    cache.put({"a": "b"})
    assert cache.get(["a"]) == {"a": "b"}
    assert not list(tmp_path.glob("*damaged*"))


def test_a_killed_writer_leaves_what_it_had_kept(tmp_path: Path) -> None:
    code = WRITER.replace("cache.close()", "import os; os._exit(9)")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "s.sqlite"), "x", "0"], check=False, timeout=60)
    assert done.returncode == 9
    assert len(StageCache(tmp_path / "s.sqlite").get([f"x.{index}" for index in range(30)])) == 30


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_not_taken_for_damage(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="ermission"):
        StageCache(tmp_path / "sub" / "s.sqlite")
    tmp_path.chmod(0o700)
