"""Documents read in several variants, and pairs that are embedded: from the samples to the scores of a cell."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from loaders.fixtures._pictures import drawing
from mmbench.cell import Settings, run_cell
from mmbench.errors import CellError, SampleError, UsageError
from mmbench.models.cascade import Cascade
from mmbench.models.echo import Echo, Gold
from mmbench.protocol import answering
from mmbench.schema import ITEM, QUERY, Image, Method, Output, Reading, Sample, Text
from mmbench.scorers.accuracy import Accuracy
from mmbench.scorers.likelihood import BitsPerByte, ImageGain, VariantAccuracy
from mmbench.scorers.retrieval import Retrieval
from mmbench.task import Task
from tests.fakes import Listed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mmbench.schema import Part

QUIET = Settings(progress=False, batch_size=2)


@dataclass(kw_only=True)
class Sighted:
    """A byte costs 4 bits, after an image one less, and `longest` nodes and images fit."""

    longest: int = 100
    name: str = "sighted"

    def load(self) -> None:
        """Nothing to load."""

    def document_loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        outputs = []
        for sample in batch:
            readings: list[Reading] = []
            bits = 4
            for part in sample.parts[: self.longest]:
                if isinstance(part, Image):
                    bits = 3
                elif isinstance(part, Text) and not part.instruction:
                    size = len(part.text) + 1
                    readings.append(Reading("", len(readings), -bits * size * math.log(2), 1, size))
            if not readings:
                raise SampleError(f"sample {sample.id}: nothing fits")
            outputs.append(Output(text="", readings=tuple(readings)))
        return outputs


def document(name: str, *, images: int = 1) -> Sample:
    shown: tuple[Part, ...] = tuple(Image(drawing(f"{name}{index}")) for index in range(images))
    texts = (Text("one"), Text("three"))
    return Sample(
        id=name,
        language="eng_Latn",
        parts=(texts[0], *shown, texts[1]),
        variants={"none": texts, "shuffled": (texts[0], *shown[::-1], texts[1])},
        group={"candidates": "3"},
    )


def task(*samples: Sample, method: Method = "document_loglikelihood", **settings: object) -> Task:
    scorers = {"bits": BitsPerByte(), "gain": ImageGain(), "right": VariantAccuracy()}
    given = {"name": "documents", "scorers": scorers, "method": method, **settings}
    return Task(loader=Listed(items=samples), **given)  # type: ignore[arg-type]


def test_a_document_is_read_in_each_variant_and_scored_by_them(tmp_path: Path) -> None:
    asked = task(document("a"), document("b"), document("c"))
    scores, _ = run_cell(asked, Sighted(), tmp_path, QUIET)
    found = {row.metric: row.value for row in scores if row.language == "eng_Latn"}
    assert found["bits_per_byte"] == pytest.approx((4 * 4 + 3 * 6) / 10)
    assert found["image_gain"] == pytest.approx(6 / 10)
    assert found["variant_accuracy"] == 0.0, "shuffled images are worth as much to it: a tie"
    line = json.loads((tmp_path / "documents/sighted/predictions.jsonl").read_text().splitlines()[0])
    assert [row[0] for row in line["readings"]] == ["images"] * 2 + ["none"] * 2 + ["shuffled"] * 2
    (again, _) = run_cell(asked, Sighted(), tmp_path, QUIET)
    assert again == scores, "what is written is what is scored"


def test_only_nodes_that_fit_in_every_variant_count() -> None:
    """With its images the second node does not fit; without them it would, and the gain would compare two texts."""
    (output,) = answering(task(), Sighted(longest=2))([document("a")])
    assert {(reading.variant, reading.node) for reading in output.readings} == {
        ("images", 0),
        ("none", 0),
        ("shuffled", 0),
    }


def test_a_wrapper_that_reads_other_text_is_found_out() -> None:
    odd = Sample(id="a", language="eng_Latn", parts=(Text("one"),), variants={"none": (Text("other"),)})
    with pytest.raises(CellError, match="read other text in a variant"):
        answering(task(), Sighted())([odd])


def test_echo_needs_eight_bits_and_gains_nothing(tmp_path: Path) -> None:
    scores, _ = run_cell(task(document("a"), document("b")), Echo(), tmp_path, QUIET)
    found = {row.metric: row.value for row in scores if row.language == "eng_Latn"}
    assert found["bits_per_byte"] == pytest.approx(8.0)
    assert found["image_gain"] == 0.0


def test_what_a_stage_says_of_an_image_is_given_and_not_scored() -> None:
    shown = Image(drawing("a"), transcript="a very long description of the picture")
    sample = Sample(id="a", language="eng_Latn", parts=(Text("one"), shown, Text("three")), variants={})
    cascade = Cascade(name="told", caption=Gold(), llm=Sighted())
    (output,) = answering(task(), cascade)([sample])
    assert [reading.bytes for reading in output.readings] == [4, 6]
    assert output.steps[0].text == shown.transcript


def test_documents_are_read_as_they_are() -> None:
    with pytest.raises(UsageError, match="reads documents as they are"):
        task(prompt="Read this: {input}")
    with pytest.raises(CellError, match="offers no document_loglikelihood"):
        task().check(Gold())


def pair(name: str) -> Sample:
    return Sample(
        id=name,
        language="eng_Latn",
        parts=(Text(name),),
        variants={ITEM: (Image(drawing(name), transcript=name),)},
        group={"image": name},
    )


def test_both_sides_of_a_pair_are_embedded_through_a_cascade_too(tmp_path: Path) -> None:
    names = ("abc", "bcd", "xyz", "zzz")
    scorers = {"there": Retrieval(k=1, name="text_to_image@1"), "back": Retrieval(k=1, direction="item_to_query")}
    asked = task(*map(pair, names), method="embed", scorers=scorers, name="pairs")
    told = Cascade(name="told", caption=Gold(), llm=Echo())
    scores, _ = run_cell(asked, told, tmp_path, QUIET)
    found = {row.metric: row.value for row in scores if row.language == "eng_Latn"}
    assert found == {"text_to_image@1": 1.0, "retrieval": 1.0}, "the gold caption is the query"
    line = json.loads((tmp_path / "pairs/told/predictions.jsonl").read_text().splitlines()[0])
    assert set(line["vectors"]) == {"query", "item"}
    assert line["steps"][0]["stage"] == "caption"
    blind, _ = run_cell(asked, Echo(), tmp_path, QUIET)  # all images are of one size, which is all that it says
    assert next(row.value for row in blind if row.metric == "text_to_image@1") == 0.0


def test_the_prompt_stands_around_both_sides() -> None:
    asked = task(pair("abc"), method="embed", scorers={}, prompt="{input} in one word:")
    (sample,) = asked.samples()
    assert sample.parts[-1] == sample.variants[ITEM][-1] == Text(" in one word:", instruction=True)


@dataclass(kw_only=True)
class Sides:
    """An encoder that tells a query from an item, as E5 does."""

    name: str = "sides"

    def load(self) -> None:
        """Nothing to load."""

    def embed(self, batch: Sequence[Sample]) -> list[Output]:
        return [Output(text="", vectors={QUERY: (1.0, float(QUERY in sample.variants))}) for sample in batch]


def test_an_encoder_can_tell_the_item_from_the_query() -> None:
    """E5 wants `passage:` before what is searched and `query:` before the other."""
    (output,) = answering(task(method="embed", scorers={}), Sides())([pair("abc")])
    assert output.vectors == {QUERY: (1.0, 0.0), ITEM: (1.0, 1.0)}


def test_a_calibrated_scorer_needs_a_calibrated_task() -> None:
    with pytest.raises(UsageError, match=r"needs task\.calibrated=true"):
        task(method="loglikelihood", scorers={"accuracy": Accuracy(normalization="calibrated")})


def test_what_was_cut_in_a_variant_is_noted() -> None:
    """Its images may take more room than those of the document, and its last nodes are then read in none of them."""

    @dataclass(kw_only=True)
    class Noting(Sighted):
        def document_loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
            return [
                replace(o, notes=(f"kept {len(o.readings)} of 2 nodes",)) for o in super().document_loglikelihood(batch)
            ]

    (output,) = answering(task(), Noting(longest=2))([document("a")])
    assert output.notes == ("kept 1 of 2 nodes", "none: kept 2 of 2 nodes")
