"""The parser on answers that others published, against the accuracies that they printed or that were counted there."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path
from statistics import mean

import pytest

from mmbench.scorers.choices import parse

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples"


def path(name: str) -> Path:
    found = SAMPLES / name
    if not found.exists():
        pytest.skip(f"no sample {name}")
    return found


@pytest.mark.parametrize(
    ("name", "printed", "accuracy", "unparsed"),
    [
        # 7 of 215 answers say that the question lacks something
        ("karakalpak.gpt-4o", 70.8, 71.24, 7),
        # the parser in TUMLU's repository finds 17.2, because most answers are a letter alone
        ("uyghur.Llama-3.1-405B", 58.2, 59.42, 47),
    ],
)
def test_tumlu(name, printed, accuracy, unparsed):
    """TUMLU's README prints the mean over subjects of five-shot answers; the sample lacks the texts of the choices."""
    subjects: dict[str, list[bool]] = defaultdict(list)
    missing = 0
    for line in path(f"tumlu/outputs.{name}.compact.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        index = parse(row["output"], tuple(f"\ue000{i}" for i in range(row["n_choices"])))
        missing += index is None
        subjects[row["subject"]].append(index is not None and "ABCDEFGH"[index] == row["answer"])
    value = 100 * mean(mean(right) for right in subjects.values())
    assert value == pytest.approx(accuracy, abs=0.005)
    assert abs(value - printed) < 1.5
    assert missing == unparsed


@pytest.mark.parametrize(("language", "accuracy", "unparsed"), [("eng_Latn", 71.08, 42), ("swh_Latn", 64.22, 62)])
def test_sib_200(language, accuracy, unparsed):
    """GPT-4's answers that name one label are read as it; the others name two, or list all to say that none fits.

    The first label of every answer would be right in 81 and 76 per cent, because the first of two often is.
    """
    labels = tuple(path("sib-200/labels.txt").read_text(encoding="utf-8").split())
    with path(f"sib-200/gpt4_output.{language}.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    right = missing = 0
    for row in rows:
        index, text = parse(row["gpt-4"], labels), row["gpt-4"].lower()
        right += index is not None and labels[index] == row["category"]
        missing += index is None
        mentioned = sorted((text.find(label), label) for label in labels if label in text)
        assert index is None or mentioned[0][1] == labels[index]
    assert 100 * right / len(rows) == pytest.approx(accuracy, abs=0.005)
    assert missing == unparsed


def test_m3gia():
    rows = [json.loads(line) for line in path("m3gia/example_output.jsonl").read_text(encoding="utf-8").splitlines()]
    for row in rows:
        assert "ABCDEF"[parse(row["response"], tuple(row["options"]))] == row["prediction"]
        assert parse(row["prompt"], tuple(row["options"])) is None, "a list of all options"


def test_gaokao_prompts_state_nothing():
    """WavLLM's prompts list three options on one line, behind the question."""
    with path("wavllm/gaokao.head900.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    prompts = [row["prompt"] for row in rows if " A. " in row["prompt"] and " C. " in row["prompt"]]
    listed = [f"A. {prompt.split(' A. ', 1)[1]}" for prompt in prompts]
    choices = ("\ue000x", "\ue000y", "\ue000z")
    assert len(prompts) > 800
    assert {parse(text, choices) for text in prompts + listed} == {None}
    assert all("ABC"[parse(f"The answer is: {row['tgt_text']}.", choices)] == row["tgt_text"] for row in rows)


def test_seed_bench():
    """GPT-4V's answers on SEED-Bench-2 are letters already: every one of them is read."""
    lines = path("seed-bench-2/GPT-4V.sb2.head2500.jsonl").read_text(encoding="utf-8").splitlines()
    predictions = [json.loads(line.rstrip(","))["prediction"] for line in lines]
    choices = ("\ue000w", "\ue000x", "\ue000y", "\ue000z")
    assert all("ABCD"[parse(one, choices)] == one for one in predictions if one in tuple("ABCD"))
