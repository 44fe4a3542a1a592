"""What is refused as other data, what `--topline` compares, and what a protocol keeps of a sample."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.arguments import parser
from mmbench.compare import differences
from mmbench.comparison_file import compare_files
from mmbench.errors import UsageError
from mmbench.protocol import answering
from mmbench.records import from_row, to_row
from mmbench.schema import Audio, Output, Prediction, Sample, Text
from mmbench.scorers.accuracy import Accuracy
from mmbench.store import dumps
from mmbench.task import Task, rotations
from tests.fakes import Listed
from tests.test_attribution import CASCADE, DIRECT, TOPLINE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("choices", ("yes", "maybe")),
        ("answer", 1),
        ("references", ("x",)),
        ("parts", (Audio(b"", transcript="one two"),)),
    ],
)
def test_answers_to_other_data_are_refused(field: str, value: Any) -> None:
    other = [replace(DIRECT[0], sample=replace(DIRECT[0].sample, **{field: value})), *DIRECT[1:]]
    name = {"parts": "transcript"}.get(field, field)
    with pytest.raises(
        UsageError, match=rf"sample 'eng_Latn0' \(eng_Latn\): the first and the second do not agree in {name}"
    ):
        differences(CASCADE, other, Accuracy())


@pytest.fixture
def compared(tmp_path: Path):
    """What `mmbench compare` says of a cascade, an end-to-end model and a topline."""

    def run(cascade: Any, direct: Any, topline: Any, *arguments: str) -> dict[str, Any]:
        paths = [tmp_path / f"{name}.jsonl" for name in "abt"]
        for path, records in zip(paths, (cascade, direct, topline), strict=True):
            path.write_text("".join(dumps(to_row(each.sample, each.prediction)) + "\n" for each in records))
        a, b, t = map(str, paths)
        given = ["compare", a, b, "--topline", t, "--scorer", "accuracy", "--format", "json", *arguments]
        found: dict[str, Any] = json.loads(compare_files(parser().parse_args(given)))
        return found

    return run


def test_a_topline_with_other_samples_is_refused_unless_told_to_intersect(compared) -> None:
    with pytest.raises(UsageError, match="0 are only in the topline and 5 only in the cascade"):
        compared(CASCADE, DIRECT, TOPLINE[5:])
    found = compared(CASCADE, DIRECT, TOPLINE[5:], "--intersect")["attribution"]
    assert {found[key]["all"]["n"] for key in ("recognition", "end_to_end", "rival")} == {95}
    assert found["rival"]["eng_Latn"]["n"] == 15


def test_the_error_rate_of_an_attribution_can_be_chosen(compared) -> None:
    words = compared(CASCADE, DIRECT, TOPLINE)["attribution"]["errors"]
    assert words["fra_Latn"] == 0.25
    said = compared(CASCADE, DIRECT, TOPLINE, "--error-scorer", "cer_asr")["attribution"]["errors"]
    assert said["eng_Latn"] == 0 and said["fra_Latn"] not in (0, 0.25)
    with pytest.raises(UsageError, match="cer: is not the error rate of a stage"):
        compared(CASCADE, DIRECT, TOPLINE, "--error-scorer", "cer")


CHOSEN = Sample(id="a", language="eng_Latn", choices=("x", "y"), answer=0)


def test_priors_are_one_for_each_choice_and_none_is_infinite() -> None:
    output = Output(text="x", choice_scores=(-1.0, -2.0), prior_scores=(-math.inf, -3.0))
    row = json.loads(dumps(to_row(CHOSEN, Prediction(sample_id="a", language="eng_Latn", output=output))))
    assert row["prior_scores"] == [-1e308, -3.0]
    with pytest.raises(UsageError, match="f:1: 1 prior_scores for 2 choices; give one for each"):
        from_row({**row, "prior_scores": [-3.0]}, where="f:1")


def test_rotations_keep_the_other_fields_of_their_group() -> None:
    asked = replace(CHOSEN, group={"speaker": "s"})
    assert [each.group for each in rotations(asked)] == [{"speaker": "s", "circular": "a"}] * 2


@dataclass(kw_only=True)
class Length:
    """Likes long choices, and long questions."""

    name: str = "length"

    def load(self) -> None:
        """Nothing to load."""

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        found = []
        for sample in batch:
            words = sum(len(part.text) for part in sample.parts if isinstance(part, Text))
            scores = tuple(float(words + len(choice)) for choice in sample.choices)
            found.append(Output(text=sample.choices[0], choice_scores=scores))
        return found


def test_an_empty_question_is_that_of_its_own_choices_and_prompt() -> None:
    items = (
        replace(CHOSEN, parts=(Text("why?"),)),
        replace(CHOSEN, id="b", parts=(Text("how?"),), choices=("long one", "z")),
        replace(CHOSEN, id="c", parts=(Text("who?"),), language="fra_Latn"),
    )
    prompt = {"default": "{input} Say: ", "fra_Latn": "{input} Dis-moi: "}
    task = Task(
        name="t", loader=Listed(items=items), scorers={}, method="loglikelihood", calibrated=True, prompt=prompt
    )
    ask = answering(task, Length())
    words = [len(" Say: ")] * 2 + [len(" Dis-moi: ")]
    for batch in (list(task.samples()), list(task.samples())[::-1]):  # what is known from before is the same
        found = {sample.id: output for sample, output in zip(batch, ask(batch), strict=True)}
        for sample, count in zip(items, words, strict=True):
            output = found[sample.id]
            assert output.prior_scores == tuple(float(count + len(choice)) for choice in sample.choices)
            assert output.choice_scores == tuple(prior + 4 for prior in output.prior_scores)
