"""The variants of multiple choice on a model that hears: letters or texts, an empty question beside, rotations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.config import build
from mmbench.errors import UsageError
from tests.protocols.coverage import REFUSALS
from tests.protocols.running import composed
from tests.protocols.test_coverage import refused

if TYPE_CHECKING:
    from tests.protocols.running import Cells

TEXTS = {"letters": False, "prompt": "{input}\nAnswer:"}
VARIANTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "loglikelihood": ("mcq", TEXTS, "accuracy_byte"),
    "loglikelihood+letters": ("mcq", {}, "accuracy"),
    "loglikelihood+calibrated": ("mcq", {**TEXTS, "calibrated": True}, "accuracy_calibrated"),
    "loglikelihood+letters+calibrated": ("mcq", {"calibrated": True}, "accuracy_calibrated"),
    "loglikelihood+letters+circular": ("mcq", {"circular": True}, "circular"),
    "loglikelihood+letters+calibrated+circular": ("mcq", {"calibrated": True, "circular": True}, "circular"),
    "generate+circular": ("mcqG", {"circular": True}, "circular"),
}
"""By protocol as results name it: column of the table, settings, and a scorer that is made for it."""


@pytest.mark.parametrize("variant", VARIANTS)
def test_variant(cells: Cells, variant: str) -> None:
    protocol, change, scorer = VARIANTS[variant]
    task = build(cells.config(protocol, scorers={"own": composed("scorer", scorer)}, **change))
    assert task.protocol == variant
    ran = cells.both(task, cells.model("qwen2_audio"), limit=1)
    run = json.loads((ran.folder / "run.json").read_text(encoding="utf-8"))
    assert run["fingerprint"]["task"]["method"] == variant
    assert len(ran.rows) == (8 if "circular" in variant else 2)
    right: dict[str, set[str]] = {}
    for row in ran.rows.values():
        likelihoods = variant.startswith("loglikelihood")
        assert len(row.get("choice_scores", [])) == 4 * likelihoods
        assert len(row.get("prior_scores", [])) == 4 * ("calibrated" in variant)
        assert row["prediction"] in row["choices"] or not likelihoods
        right.setdefault(row["group"].get("circular", row["sample_id"]), set()).add(row["choices"][row["answer"]])
    assert len(right) == 2
    assert all(len(texts) == 1 for texts in right.values()), "the right answer is the same in all rotations"
    of_languages = [row for row in map(json.loads, ran.scores.splitlines()) if row["language"] in ("eng_Latn", "macro")]
    assert [(row["n"], row["failed"]) for row in of_languages] == [(1, 0), (2, 0)]


def test_letters_rank_what_the_prompt_shows(cells: Cells) -> None:
    model = cells.model("qwen2_audio")
    texts = cells.run(build(cells.config("mcq", **TEXTS)), model, 4)
    letters = cells.run(cells.task("mcq"), model, 4)
    for key, row in letters.rows.items():
        assert row["choice_lengths"] == [1] * 4, "a letter is a byte, which is a token here"
        assert min(texts.rows[key]["choice_lengths"]) > 1


def test_an_empty_question_is_none_to_a_model_that_only_hears(cells: Cells) -> None:
    task = build(cells.config("gender", calibrated=True))
    refused(task, cells.model("classifier"), REFUSALS["-mute"], cells)


@pytest.mark.parametrize("option", ["letters", "calibrated"])
def test_variants_of_likelihood_need_likelihoods(cells: Cells, option: str) -> None:
    with pytest.raises(UsageError, match=f"task.{option}=true is about likelihoods"):
        build(cells.config("mcqG", **{option: True}))
