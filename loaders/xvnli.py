"""XVNLI: does a photograph entail a sentence, contradict it, or neither? In five languages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.iglue import Annotations, text_of
from loaders.spoken import check, facts, usable, warn
from mmbench.errors import UsageError
from mmbench.schema import Card, Part, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


Input = Literal["image", "text", "both"]
"""What the premise is: the photograph, a sentence about it (as in SNLI), or both; ids are the same."""

Words = Literal["labels", "answers"]
"""What the choices are: names of the labels, or answers to the question whether the sentence is true."""

LABELS = ("entailment", "neutral", "contradiction")
"""The labels; choices are in this order."""

ANSWERS = ("yes", "maybe", "no")
UNDECIDED = "-"


@dataclass(kw_only=True)
class Xvnli:
    """The premise is a photograph of Flickr30K, the hypothesis a sentence; the label is one of three.

    - 14 of the 1,164 pairs of each language have the label "-": annotators did not agree. They are left out, and
      counted in a warning; IGLUE's code keeps them without a right answer.
    - `pairID` is the same in all languages (group field `item`). Pairs of one image are not independent: it is the
      cluster of the tasks.
    - `sentence1` is a caption of the image: with input=text the image is not shown, for a paired comparison.

    Args:
        location: folder of the repository e-bug/iglue, or of its datasets/XVNLI, or fixture://xvnli.
        languages: codes, any spelling; None for all that have files.
        split: test, or the name of a few-shot file such as train_5.
        images: folder of Flickr30K's images, beside the annotations or elsewhere.
        input: one of `Input`.
        words: one of `Words`.

    The layout is that of datasets/XVNLI in e-bug/iglue.
    """

    location: str = field(compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"
    images: str = field(default="images", compare=False)
    input: Input = "image"
    words: Words = "labels"

    def __post_init__(self) -> None:
        """Check the settings."""
        check("input", self.input, get_args(Input))
        check("words", self.words, get_args(Words))

    @cached_property
    def _annotations(self) -> Annotations:
        return Annotations(
            location=self.location,
            dataset="XVNLI",
            pattern=f"annotations/*/{self.split}.jsonl",
            languages=self.languages,
            images=self.images,
        )

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples language by language, in the order of the files."""
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        left_out = Counter[str]()
        for tag, _, file in self._annotations.files:
            for row in self._annotations.published.lines(file):
                where = f"{file}, {row.get('pairID')}"
                label = text_of(row, "gold_label", where)
                if label == UNDECIDED:
                    left_out['the label is "-"'] += 1
                elif label in LABELS:
                    yield self._sample(tag, row, label, where)
                else:
                    raise UsageError(f"{where}: gold_label {label!r} is none of {', '.join(LABELS)}; download it again")
        warn(left_out, self.location)

    def _sample(self, tag: str, row: Mapping[str, Any], label: str, where: str) -> Sample:
        name, image = text_of(row, "pairID", where), text_of(row, "Flikr30kID", where)
        premise: list[Part] = []
        if self.input != "text":
            premise.append(self._annotations.image(f"{image}.jpg", where=where))
        if self.input != "image":
            premise.append(Text(f"{text_of(row, 'sentence1', where)}\n"))
        return Sample(
            id=f"{name}/{tag}",
            language=tag,
            parts=(*premise, Text(text_of(row, "sentence2", where))),
            choices=LABELS if self.words == "labels" else ANSWERS,
            answer=LABELS.index(label),
            group=facts(item=name, image=image, label=label, split=self.split),
        )

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return self._annotations.card(
            "xvnli",
            licence="see the repository; images under the terms of Flickr30K",
            citation="Xie et al. 2019, SNLI-VE (arXiv:1901.06706); Agić and Schluter 2018 (arXiv:1704.05347)",
        )
