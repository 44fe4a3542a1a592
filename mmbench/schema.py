"""The types that everything else speaks: what goes into a model, what comes out, and what a score is.

All of them are frozen: a sample that a cascade stage rewrites is a new sample. A sample id is stable and
unique within a dataset, and it is the only way in which samples, predictions and scores are ever joined.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mmbench.prompt import Audio as Audio
from mmbench.prompt import Condition as Condition
from mmbench.prompt import Image as Image
from mmbench.prompt import Joined as Joined
from mmbench.prompt import Part as Part
from mmbench.prompt import Source as Source
from mmbench.prompt import Text as Text
from mmbench.prompt import Video as Video

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Method = Literal["generate", "loglikelihood"]
"""How a task asks: for free text, or for the log-likelihood of each of a sample's choices."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A model's answer to one sample.

    Args:
        text: the answer; for likelihood tasks the choice that scored highest.
        steps: what each stage of a cascade said on the way.
        choice_scores: one log-likelihood (natural logarithm) per choice, summed over the choice's tokens.
        choice_lengths: the number of tokens of each choice, so that scores can be normalised afterwards.
        prior_scores: like `choice_scores`, but after the same prompt without the sample in it (an empty question).
        tokens: number of tokens generated or scored, where the model counts them.
        notes: what was done to the sample so that the model could take it, such as "truncated 41.2 s to 30 s".
    """

    text: str
    steps: tuple[Step, ...] = ()
    choice_scores: tuple[float, ...] = ()
    choice_lengths: tuple[int, ...] = ()
    prior_scores: tuple[float, ...] = ()
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
    `fraction` says whether the value runs from 0 to 1 and is shown as per cent.
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


class Loader(Protocol):
    """A dataset: iterating gives its samples, in the same order every time.

    A loader is a dataclass like a model; fields that only say where the data are do not compare (`compare=False`).
    It may also have `validate()`, called before a model is loaded, and `count`, the number of its samples.
    """

    @property
    def card(self) -> Card:
        """Identity, provenance and terms of the data."""

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples."""


class Model(Protocol):
    """Anything that answers samples. Building one is cheap; `load` does the work and may be called again.

    A model is a dataclass whose init fields are its settings: `mmbench.identity` reads them. It has `generate`,
    `loglikelihood` or both; `offers(method)` says which it can do, where having it does not mean that (a cascade).
    """

    @property
    def name(self) -> str:
        """Name of the model's folder in the results."""

    def load(self) -> None:
        """Load weights. Raises ModelLoadError, which ends the cell."""


@runtime_checkable
class Generator(Model, Protocol):
    """A model that answers with text."""

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Answer each sample, in order."""


@runtime_checkable
class Ranker(Model, Protocol):
    """A model that gives the log-likelihood of each of a sample's choices."""

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Score the choices of each sample, in order; `Output.choice_scores` has one value per choice."""


Stats = NDArray[np.float64]
"""Additive sufficient statistics: the sum over samples is all that a corpus score needs."""


class Scorer(Protocol):
    """A metric as additive statistics, so that corpus value, interval and paired test are one piece of code.

    It may also have
    - `fitted(samples)`: the scorer with facts about all samples that are scored together, such as labels.
    - `joined_by`, a group field, and `join(rows)`: samples with one value in it are one question (CircularEval);
      `join` makes its statistics, of shape (k,), from theirs, of shape (m, k).
    - `averages(language)`: False keeps a language out of the mean over languages, `pools(language)` out of the pool;
      `language_of(sample)` is the one that `averages` is asked about, if not that of the report.
    - `counts(totals)`: named parts that are shown beside the value, such as substitutions.
    - `all_stats(pairs)`: the statistics of many (sample, output) pairs at once, of shape (n, k), in place of `stats`.
    - `chance(samples)`, `majority(samples)`: scores of guessing and of the best constant answer.
    - `pair(sample, output)`: units of reference and answer, or None, for tests that align them.
    """

    @property
    def name(self) -> str:
        """Name of the metric in tables."""

    @property
    def higher_is_better(self) -> bool:
        """Which way is good."""

    @property
    def proportion(self) -> bool:
        """Whether the score is correct / total of the first two statistics, whose interval is Wilson's."""

    @property
    def fraction(self) -> bool:
        """Whether values run from 0 to 1 (and an error rate above) and are shown as per cent."""

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Statistics of one sample; an output of None is a failed sample and counts as wrong."""

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Score from summed statistics of shape (..., k); the result has shape (...)."""

    def unparsed(self, stats: Stats) -> float:
        """How many of the samples behind `stats`, of shape (k,) or (n, k), had an answer that names no choice."""

    def signature(self, languages: Sequence[str]) -> str:
        """Everything that has to be equal for two values to be comparable."""
