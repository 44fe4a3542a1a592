"""The public contract of `mmbench compare A B`: one object, one table, one-line refusals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mmbench.arguments import parser
from mmbench.cli import main
from mmbench.comparison_file import compare_files
from mmbench.errors import UsageError
from mmbench.records import to_row
from mmbench.store import dumps
from tests.test_attribution import CASCADE, DIRECT, TAGS, TOPLINE

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {"a", "b", "difference", "low", "high", "p", "test", "n", "p_holm", "a_wrong", "b_wrong"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    found = {}
    for name, records in (("cascade", CASCADE), ("direct", DIRECT), ("topline", TOPLINE), ("short", DIRECT[:-5])):
        found[name] = folder / f"{name}.jsonl"
        text = "".join(dumps(to_row(each.sample, each.prediction)) + "\n" for each in records)
        found[name].write_text(text, encoding="utf-8")
    return found


def compared(files, a: str, b: str, *arguments: str) -> str:
    given = ["compare", str(files[a]), str(files[b]), "--scorer", "accuracy", *arguments]
    return compare_files(parser().parse_args(given))


def test_one_object_with_the_documented_keys(files) -> None:
    found = json.loads(compared(files, "cascade", "direct", "--format", "json"))
    assert list(found) == ["scorer", "signature", "a", "b", "overall", "macro", "languages"]
    assert list(found["languages"]) == sorted(TAGS)
    for entry in (found["overall"], found["macro"], *found["languages"].values()):
        assert entry.keys() == KEYS
    english = found["languages"]["eng_Latn"]
    assert (english["a"], english["b"], english["difference"], english["n"]) == (1, 0.5, 0.5, 20)
    assert english["test"] == "exact McNemar" and english["p"] == pytest.approx(2 / 2**10)
    assert found["overall"]["n"] == 100 and found["macro"]["n"] == 5


def test_swapping_the_files_turns_the_sign(files) -> None:
    one, other = (
        json.loads(compared(files, *names, "--format", "json"))
        for names in (("cascade", "direct"), ("direct", "cascade"))
    )
    for tag in TAGS:
        a, b = one["languages"][tag], other["languages"][tag]
        assert a["difference"] == -b["difference"] and a["p"] == b["p"]
        assert (a["low"], a["high"]) == pytest.approx((-b["high"], -b["low"]))


def test_the_table_names_files_signature_and_winner(files) -> None:
    text = compared(files, "cascade", "direct")
    assert f"a = {files['cascade']}" in text
    row = next(line for line in text.splitlines() if line.strip().startswith("eng_Latn"))
    assert "+50.0" in row and row.rstrip().endswith("a")
    assert "accuracy|" in text and "Holm" in text


def test_a_topline_says_where_the_cascade_loses(files) -> None:
    text = compared(files, "cascade", "direct", "--topline", str(files["topline"]))
    assert "topline - cascade" in text and "Pearson -" in text
    found = json.loads(compared(files, "cascade", "direct", "--topline", str(files["topline"]), "--format", "json"))
    assert found["attribution"]["recognition"]["macro"]["difference"] == pytest.approx(0.32)
    assert found["attribution"]["errors"]["hin_Deva"] == 0.75


def test_different_samples_are_refused_with_status_2(files, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["compare", str(files["cascade"]), str(files["short"]), "--scorer", "accuracy"])
    assert left.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "5 are only in" in error and "--intersect" in error
    assert json.loads(compared(files, "cascade", "short", "--intersect", "--format", "json"))["overall"]["n"] == 95


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--test", "t"], "--test t: known are auto"),
        (["--test", "mapsswe"], "needs an error rate"),
        (["--set", "normalization"], "write KEY=VALUE"),
        (["--set", "normalisation=byte"], "has no setting normalisation"),
        (["--error-scorer", "cer_asr"], "--error-scorer is for the table of --topline"),
        (["--cluster", "speaker"], "no group field 'speaker'"),
        (["--topline", "nowhere.jsonl"], "nowhere.jsonl: cannot be read"),
    ],
)
def test_options_that_are_wrong(files, arguments: list[str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        compared(files, "cascade", "direct", *arguments)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_files_with_nothing_in_common_are_refused(files, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"sample_id": "x", "language": "eng_Latn", "prediction": "y"}\n', encoding="utf-8")
    given = ["compare", str(files["cascade"]), str(other), "--scorer", "accuracy", "--intersect"]
    with pytest.raises(UsageError, match="have no sample in common"):
        compare_files(parser().parse_args(given))


def test_likelihood_and_text_do_not_compare(files, tmp_path: Path) -> None:
    rows = [{**json.loads(line), "choice_scores": [-1.0, -2.0]} for line in files["direct"].read_text().splitlines()]
    other = tmp_path / "ranked.jsonl"
    other.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(UsageError, match="answer in different ways"):
        compare_files(parser().parse_args(["compare", str(files["direct"]), str(other), "--scorer", "accuracy"]))


def test_what_failed_stands_under_the_table(files, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in files["direct"].read_text().splitlines()]
    other = tmp_path / "failed.jsonl"
    broken = [{**row, "prediction": None} if index < 7 else row for index, row in enumerate(rows)]
    other.write_text("".join(json.dumps(row) + "\n" for row in broken), encoding="utf-8")
    text = compare_files(parser().parse_args(["compare", str(files["direct"]), str(other), "--scorer", "accuracy"]))
    assert "failed / unparsed / refused: a 0 / 0 / 0; b 7 / 0 / 0" in text


def test_a_rotation_that_is_missing_takes_its_question_along(tmp_path: Path) -> None:
    rows = [
        {"sample_id": f"q{q}#{turn}", "language": "eng_Latn", "prediction": "yes", "group": {"circular": f"q{q}"}}
        | ({"choices": ["no", "yes"], "answer": 1} if turn else {"choices": ["yes", "no"], "answer": 0})
        for q in range(9)
        for turn in range(2)
    ]
    paths = [tmp_path / f"{name}.jsonl" for name in "ab"]
    for path, kept in zip(paths, (rows, rows[1:]), strict=True):
        path.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
    given = ["compare", *map(str, paths), "--scorer", "circular", "--intersect", "--format", "json"]
    found = json.loads(compare_files(parser().parse_args(given)))["overall"]
    assert (found["a"], found["b"], found["n"]) == (1, 1, 8)
