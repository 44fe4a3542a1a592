"""The public contract of `mmbench score FILE`: its rows, its one JSON object, and its one-line refusals."""

from __future__ import annotations

import json

import pytest

from mmbench.arguments import parser
from mmbench.cell import Settings, run_cell
from mmbench.errors import UsageError
from mmbench.scoring_file import score_file
from tests.fakes import Spy, task

VALUES = {"value", "low", "high", "n", "failed", "unparsed", "refused"}
COUNTS = {*VALUES, "counts"}
HEARD = [
    {"sample_id": "1", "language": "eng_Latn", "prediction": "one two three for", "references": ["one two three four"]},
    {"sample_id": "2", "language": "en", "prediction": "One, two!", "references": ["one two"]},
    {"sample_id": "3", "language": "swh_Latn", "prediction": "moja mbili", "references": ["x y", "moja mbili"]},
]
CHOSEN = [
    {"sample_id": "1", "language": "eng_Latn", "prediction": "B", "choices": ["yes", "no"], "answer": "B"},
    {"sample_id": "2", "language": "eng_Latn", "prediction": "no", "choices": ["yes", "no"], "answer": 1},
    {"sample_id": "3", "language": "eng_Latn", "prediction": "(A)", "choices": ["yes", "no"], "answer": 1},
    {"sample_id": "4", "language": "eng_Latn", "prediction": "who knows", "choices": ["yes", "no"], "answer": "A"},
]


@pytest.fixture
def command(tmp_path):
    """Score rows with the command's own arguments, and give the text that it prints."""

    def run(rows, *arguments):
        path = tmp_path / "file.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return score_file(parser().parse_args(["score", str(path), "--scorer", *arguments]))

    return run


@pytest.fixture
def scored(command):
    return lambda rows, *arguments: json.loads(command(rows, *arguments, "--format", "json"))


def test_one_object_with_the_documented_keys(command, scored):
    assert command(HEARD, "wer", "--format", "json").count("\n") == 1
    found = scored(HEARD, "wer")
    assert list(found) == ["scorer", "signature", "overall", "macro", "languages", "by", "summary"]
    assert (found["overall"].keys(), found["macro"].keys()) == (COUNTS, VALUES)
    assert {tag: each.keys() for tag, each in found["languages"].items()} == dict.fromkeys(
        ("eng_Latn", "swh_Latn"), COUNTS
    )
    assert found["overall"]["counts"] == {"substitutions": 1, "deletions": 0, "insertions": 0, "units": 8}
    assert (found["scorer"], found["by"]) == ("wer", {})
    assert found["signature"].startswith("wer|unit:word|norm:mmbench/")


def test_overall_pools_and_macro_is_the_unweighted_mean(scored):
    found = scored(HEARD, "wer")
    assert found["languages"]["eng_Latn"]["value"] == pytest.approx(1 / 6)
    assert found["languages"]["swh_Latn"]["value"] == 0
    assert found["overall"]["value"] == pytest.approx(1 / 8)
    assert found["macro"]["value"] == pytest.approx(1 / 12)
    assert (found["overall"]["n"], found["macro"]["n"]) == (3, 2)


@pytest.mark.parametrize(
    ("scorer", "value"), [("wer", 0.25), ("cer", 1 / 15), ("mer", 0.25), ("bleu", 59.46), ("chrf", 83.0)]
)
def test_error_rates_are_fractions_and_bleu_and_chrf_run_to_100(scored, scorer, value):
    assert scored(HEARD[:1], scorer)["overall"]["value"] == pytest.approx(value, rel=0.05)
    perfect = scored([{**HEARD[0], "prediction": "one two three four"}], scorer)["overall"]["value"]
    assert perfect == pytest.approx(100 if scorer in ("bleu", "chrf") else 0)


def test_accuracy_with_answers_as_letter_or_index(scored):
    found = scored(CHOSEN, "accuracy")["overall"]
    assert (found["value"], found["n"], found["failed"], found["unparsed"]) == (0.5, 4, 0, 1)
    assert 0 < found["low"] < 0.5 < found["high"] < 1


def test_missing_prediction_is_failed_and_wrong(scored):
    for row in ({**HEARD[0], "prediction": None}, {key: HEARD[0][key] for key in HEARD[0] if key != "prediction"}):
        found = scored([row, *HEARD[1:]], "wer")["overall"]
        assert (found["failed"], found["n"], found["value"]) == (1, 3, 0.5)
    chosen = [{**CHOSEN[0], "prediction": None}, *CHOSEN[1:]]
    assert scored(chosen, "accuracy")["overall"] == pytest.approx(
        {**scored(chosen, "accuracy")["overall"], "value": 0.25, "failed": 1, "unparsed": 1}
    )


@pytest.mark.parametrize("rows", [CHOSEN, [{**HEARD[0], "references": []}], [{**HEARD[0], "references": ["..."]}]])
def test_what_cannot_be_scored_is_null(command, scored, rows):
    assert "NaN" not in command(rows, "wer", "--format", "json")
    found = scored(rows, "wer")
    assert found["overall"]["value"] is found["overall"]["low"] is found["macro"]["value"] is None
    assert found["overall"]["n"] == len(rows)


def test_by_fields(scored):
    rows = [{**row, "system": "s", "group": {"topic": topic}} for row, topic in zip(HEARD, "aab", strict=True)]
    rows.append({**HEARD[0], "sample_id": "4"})
    found = scored(rows, "wer", "--by", "topic", "script", "--by", "system")["by"]
    assert {field: {value: each["n"] for value, each in values.items()} for field, values in found.items()} == {
        "topic": {"(none)": 1, "a": 2, "b": 1},
        "script": {"Latn": 4},
        "system": {"(none)": 1, "s": 3},
    }
    assert all(each.keys() == {*COUNTS, "macro"} for values in found.values() for each in values.values())
    assert all(each["macro"].keys() == VALUES for values in found.values() for each in values.values())


@pytest.mark.parametrize("field", ["language", "script", "family", "region", "resource"])
def test_by_what_a_language_is(scored, field):
    assert sum(each["n"] for each in scored(HEARD, "wer", "--by", field)["by"][field].values()) == 3


def test_by_what_no_row_has(command):
    rows = [{**HEARD[0], "group": {"topic": "a"}}]
    with pytest.raises(UsageError, match="--by speaker: no row has it; known are topic, system, language, script"):
        command(rows, "wer", "--by", "speaker")


def test_two_systems_are_told_apart(scored):
    rows = [{**row, "system": name} for name in "ab" for row in HEARD]
    assert {name: each["n"] for name, each in scored(rows, "wer", "--by", "system")["by"]["system"].items()} == {
        "a": 3,
        "b": 3,
    }


def test_order_plays_no_part(command):
    assert command(HEARD, "wer", "--format", "json") == command(HEARD[::-1], "wer", "--format", "json")


def test_predictions_of_a_run_are_valid_input(tmp_path):
    scores, _ = run_cell(task(12), Spy(), tmp_path, Settings(progress=False))
    path = tmp_path / "repeat" / "spy" / "predictions.jsonl"
    found = json.loads(score_file(parser().parse_args(["score", str(path), "--scorer", "wer", "--format", "json"])))
    again = {**found["languages"], "all": found["overall"], "macro": found["macro"]}
    again = {tag: {key: each[key] for key in VALUES} for tag, each in again.items()}
    assert again == {row.language: {key: getattr(row, key) for key in VALUES} for row in scores}
    assert found["signature"] + "|method:generate" == scores[0].signature


def test_options(scored):
    assert scored(HEARD, "wer", "--normalizer", "none")["overall"]["value"] > scored(HEARD, "wer")["overall"]["value"]
    assert "|tok:char|" in scored(HEARD, "bleu", "--tokenize", "char")["signature"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["werr"], "scorer 'werr' is not known; did you mean wer"),
        (["wer", "--normalizer", "nope"], "nope"),
        (["wer", "--tokenize", "13a"], "scorer wer has no setting tokenize"),
        (["bleu", "--normalizer", "mmbench"], "scorer bleu has no setting normalizer"),
        (["bleu", "--tokenize", "nope"], "unknown BLEU tokenizer 'nope'"),
    ],
)
def test_options_that_are_wrong(command, arguments, words):
    with pytest.raises(UsageError) as caught:
        command(HEARD, *arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_wrong(command, tmp_path):
    with pytest.raises(UsageError, match="has no rows"):
        command([], "wer")
    with pytest.raises(UsageError, match=r"file\.jsonl:4: sample '1' was answered in line 1"):
        command([*HEARD, HEARD[0]], "wer")
    with pytest.raises(UsageError, match=r"file\.jsonl:2: field 'language': unknown language"):
        command([HEARD[0], {**HEARD[1], "language": "qqq"}], "wer")
    with pytest.raises(UsageError, match=r"file\.jsonl:1: a row must be a JSON object"):
        command([HEARD], "wer")
    (tmp_path / "text.jsonl").write_text("hello\n")
    with pytest.raises(UsageError, match=r"text\.jsonl:1: not a line of JSON"):
        score_file(parser().parse_args(["score", str(tmp_path / "text.jsonl"), "--scorer", "wer"]))


def test_table_shows_per_cent_and_the_signature(command):
    lines = [line.split() for line in command(HEARD, "wer", "--by", "script").splitlines()]
    shown = {words[0]: words[1] for words in lines if len(words) > 4}
    assert (shown["eng_Latn"], shown["all"], shown["macro"]) == ("16.7", "12.5", "8.3")
    assert ["script", "=", "Latn", "12.5"] in [words[:4] for words in lines]
    assert lines[-1][0].startswith("wer|unit:word")


def test_a_field_of_another_name_is_found_out(command, caplog):
    said = [{**{key: row[key] for key in ("sample_id", "language", "references")}, "hypothesis": "a"} for row in HEARD]
    with pytest.raises(UsageError, match="no row has an answer; it stands in the field 'prediction'"):
        command(said, "wer")
    bare = [{**{key: row[key] for key in ("sample_id", "language", "prediction")}, "reference": "a"} for row in HEARD]
    command(bare, "wer")
    assert "3 of 3 samples give wer nothing to score; 1 has no references, no choices" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["anls", "--set", "threshold=abc"], "scorer anls: threshold='abc' must be a number"),
        (["anls", "--set", "threshold=7"], "must be a share"),
        (["relaxed", "--set", "tolerance=-5"], "tolerance=-5"),
        (["chrf", "--set", "word_order=x"], "scorer chrf: word_order='x' must be a whole number"),
        (["chrf", "--set", "word_order=true"], "must be a whole number"),
        (["chrf", "--set", "word_order=-3"], "word_order=-3"),
        (["recall@1", "--set", "k=null", "unit="], "has no setting unit"),
        (["wer", "--set", "unit="], "scorer wer: unit=None must be text"),
    ],
)
def test_settings_that_are_wrong(command, arguments, words):
    with pytest.raises(UsageError) as caught:
        command(HEARD, *arguments)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_settings_may_have_options_of_their_own(scored):
    for key, value in (("normalizer", "none"), ("name", "mine")):
        assert value in scored(HEARD, "wer", "--set", f"{key}={value}")["signature"]
    assert "tok:13a" in scored(HEARD, "bleu", "--set", "tokenize=13a")["signature"]


def test_likelihood_and_text_have_signatures_of_their_own(scored):
    scores = [{**row, "choice_scores": [-1.0, -2.0], "choice_lengths": [1, 2]} for row in CHOSEN]
    one, other, both = (scored(rows, "accuracy")["signature"] for rows in (CHOSEN, scores, [*CHOSEN[:2], *scores[2:]]))
    assert [s.partition("|answers:")[2] for s in (one, other, both)] == ["text", "likelihood", "likelihood+text"]
    with pytest.raises(UsageError, match="sample 1: accuracy_token compares log-likelihoods"):
        scored(CHOSEN, "accuracy_token")


def test_a_file_that_is_compressed_is_named(command, tmp_path):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(b"\x1f\x8b\x08\x00\x00\x00")
    with pytest.raises(UsageError, match="is compressed; unpack it first"):
        score_file(parser().parse_args(["score", str(path), "--scorer", "wer"]))
