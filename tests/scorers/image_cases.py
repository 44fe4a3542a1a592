"""Questions and perfect answers for the scorers of images: letters, documents that were read, and embedded pairs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from mmbench.schema import Output, Reading, Sample

if TYPE_CHECKING:
    from collections.abc import Callable

    Question = list[tuple[Sample, Output | None]]
    Draw = Callable[[str, Any], Question]

CHOICES = ("a cat", "a dog", "a bird", "a fish")


def lettered_question(name: str, draw: Any) -> Question:
    text = draw(st.sampled_from([None, "A", "(B)", "C.", "D)", "", "who knows"]))
    sample = Sample(id=name, language="eng_Latn", choices=CHOICES, answer=draw(st.integers(0, 3)))
    return [(sample, None if text is None else Output(text=text))]


def lettered_perfect(name: str, draw: Any) -> Question:
    right = draw(st.integers(0, 3))
    sample = Sample(id=name, language="eng_Latn", choices=CHOICES, answer=right)
    return [(sample, Output(text=f"({'ABCD'[right]})"))]


def document(name: str, **bits: float) -> tuple[Sample, Output]:
    readings = tuple(Reading(variant, 0, -own * math.log(2), 3, 16) for variant, own in bits.items())
    return Sample(id=name, language="eng_Latn", group={"candidates": "3"}), Output(text="", readings=readings)


def document_question(name: str, draw: Any) -> Question:
    if draw(st.integers(0, 5)) == 0:
        return [(document(name)[0], None)]
    bits = {variant: draw(st.floats(1, 100)) for variant in ("images", "none", "shuffled")}
    if draw(st.booleans()):
        del bits["none"]
    return [document(name, **bits)]


def document_perfect(name: str, draw: Any) -> Question:
    return [document(name, images=0.0, none=100.0, shuffled=100.0)]


def pair_question(name: str, draw: Any) -> Question:
    sample = Sample(id=name, language="eng_Latn", group={"item": draw(st.sampled_from(["x", "y", name]))})
    if draw(st.integers(0, 5)) == 0:
        return [(sample, None)]
    floats = st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3).map(tuple)
    return [(sample, Output(text="", vectors={"query": draw(floats), "item": draw(floats)}))]


def pair_perfect(name: str, draw: Any) -> Question:
    angle = math.fsum((index + 1) * ord(char) for index, char in enumerate(name))  # of each name another one
    vector = (math.cos(angle), math.sin(angle), 0.0)
    sample = Sample(id=name, language="eng_Latn", group={"item": name})
    return [(sample, Output(text="", vectors={"query": vector, "item": vector}))]


def certain(name: str, draw: Any) -> Question:
    return [document(name, images=0.0, none=0.0, shuffled=0.0)]


LETTERED, DOCUMENTS = (lettered_question, lettered_perfect), (document_question, document_perfect)
PAIRS = (pair_question, pair_perfect)
CASES: dict[str, tuple[Draw, Draw]] = {
    **dict.fromkeys(("mmmu", "m3gia"), LETTERED),
    **dict.fromkeys(("image", "variant"), DOCUMENTS),
    "bits": (document_question, certain),
    **dict.fromkeys(("text", "retrieval", *(f"image_to_text@{k}" for k in (1, 5, 10))), PAIRS),
}
"""By the name of a scorer or the first word of it, as `property_cases.KINDS`."""

RETRIEVAL = tuple(f"{way}@{k}" for way in ("text_to_image", "image_to_text") for k in (1, 5, 10))
RETRIEVAL += tuple(f"retrieval@{k}" for k in (1, 10, 100))
"""Scorers whose queries have a pool in common: whatever is added is one more thing to confuse them with."""
UNANSWERED = ("bits_per_byte", "bits_per_byte_none", "bits_per_byte_shuffled", "image_gain", "image_gain_shuffled")
"""Scorers that have nothing to say of a document that was not read."""
