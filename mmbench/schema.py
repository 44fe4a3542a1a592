"""The types that everything else speaks: what goes into a model, what comes out, and what a score is.

All of them are frozen: a sample that a cascade stage rewrites is a new sample. A sample id is stable and
unique within a dataset, and it is the only way in which samples, predictions and scores are ever joined.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from mmbench.interfaces import DocumentReader as DocumentReader
from mmbench.interfaces import Encoder as Encoder
from mmbench.interfaces import Generator as Generator
from mmbench.interfaces import Loader as Loader
from mmbench.interfaces import Model as Model
from mmbench.interfaces import Ranker as Ranker
from mmbench.interfaces import Scorer as Scorer
from mmbench.prompt import Audio as Audio
from mmbench.prompt import Condition as Condition
from mmbench.prompt import Image as Image
from mmbench.prompt import Joined as Joined
from mmbench.prompt import Part as Part
from mmbench.prompt import Source as Source
from mmbench.prompt import Text as Text
from mmbench.prompt import Video as Video

if TYPE_CHECKING:
    from collections.abc import Mapping

Method = Literal["generate", "loglikelihood", "document_loglikelihood", "embed"]
"""How a task asks, and the name of the model's method: for free text, for the log-likelihood of each of a sample's
choices, for that of the text of a document as it is, or for vectors of the two sides of a pair."""

ITEM = "item"
"""Name of the variant that is the other side of a pair, such as the image of a caption."""
QUERY = "query"
"""Name of the vector of the pair's own side, the sample's parts."""
WHOLE = "images"
"""Name of a document's own prompt among its variants: with all its images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One question to a model.

    Args:
        id: stable and unique within the dataset.
        language: FLORES-style tag of the language that the result is reported under.
        parts: the prompt, in order.
        references: accepted answers, for tasks with free text.
        choices: the options, for multiple choice.
        answer: 0-based index of the right choice.
        source_language: language of the input where it differs from `language` (translation out of English).
        target_language: language of the answer where it differs from `language` (translation into English).
        variants: other prompts that the sample is asked with, by name. Of a document they hold the same text under
            other circumstances, such as "none" without its images; of a pair `ITEM` is its other side.
        group: further fields to report by, such as speaker, topic or document.
    """

    id: str
    language: str
    parts: tuple[Part, ...] = ()
    references: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    answer: int | None = None
    source_language: str | None = None
    target_language: str | None = None
    variants: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    group: Mapping[str, str] = field(default_factory=dict)

    @property
    def spoken(self) -> str:
        """Language of the input."""
        return self.source_language or self.language

    @property
    def written(self) -> str:
        """Language of the answer and of the references."""
        return self.target_language or self.language

    @property
    def transcript(self) -> str | None:
        """Reference transcripts of all media parts in order, or None where one of them is not known."""
        texts = [part.transcript for part in self.parts if not isinstance(part, Text)]
        known = [text for text in texts if text is not None]
        return " ".join(known) if texts and len(known) == len(texts) else None


@dataclass(frozen=True, slots=True)
class Step:
    """What one cascade stage said about one part: `part` is the index in the sample as it entered the stage."""

    stage: str
    part: int
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How likely a model finds one text node of a document, given all that stands before it.

    Args:
        variant: which prompt of the sample: `WHOLE` or one of its variants; models leave it empty.
        node: 0-based number among the text nodes that are scored.
        loglikelihood: natural logarithm, summed over the node's tokens.
        tokens: number of them.
        bytes: of the node's text in UTF-8, its line end included.
    """

    variant: str
    node: int
    loglikelihood: float
    tokens: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A model's answer to one sample.

    Args:
        text: the answer; for likelihood tasks the choice that scored highest.
        steps: what each stage of a cascade said on the way.
        choice_scores: one log-likelihood (natural logarithm) per choice, summed over the choice's tokens.
        choice_lengths: the number of tokens of each choice, so that scores can be normalised afterwards.
        prior_scores: like `choice_scores`, but after the same prompt without the sample in it (an empty question).
        readings: of a document, one for each text node and variant.
        vectors: of a pair, an embedding of shape (d,) for each side: `QUERY` and `ITEM`.
        tokens: number of tokens generated or scored, where the model counts them.
        notes: what was done to the sample so that the model could take it, such as "truncated 41.2 s to 30 s".
    """

    text: str
    steps: tuple[Step, ...] = ()
    choice_scores: tuple[float, ...] = ()
    choice_lengths: tuple[int, ...] = ()
    prior_scores: tuple[float, ...] = ()
    readings: tuple[Reading, ...] = ()
    vectors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    tokens: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a sample has no answer: the class of the error and its message, one line."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The answer to one sample or the reason why there is none, and the seconds that it took (its share of a batch)."""

    sample_id: str
    language: str
    output: Output | None = None
    error: Failure | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One row of scores.jsonl: a metric of one model on one language of one task.

    `value`, `low` and `high` (a 95 % interval) are NaN where nothing can be scored. `n` counts all questions (in a mean
    languages), those `failed` (no answer: scored as wrong), `unparsed` (it names no choice) and `refused` included.
    `fraction` says whether the value runs from 0 to 1 and is shown as per cent, `decimals` how exactly it is shown.
    """

    task: str
    model: str
    language: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    failed: int
    unparsed: int
    higher_is_better: bool
    fraction: bool
    signature: str
    refused: int = 0
    decimals: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a dataset says of itself: identity, provenance and terms. `content` is a SHA-256 of the data."""

    name: str
    revision: str
    content: str
    languages: tuple[str, ...]
    licence: str
    source: str
    citation: str = ""


Stats = NDArray[np.float64]
"""Additive sufficient statistics: the sum over samples is all that a corpus score needs."""
