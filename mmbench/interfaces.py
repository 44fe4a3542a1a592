"""What loaders, models and scorers have to offer: no base classes, anything with these methods will do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mmbench.schema import Card, Output, Sample, Stats


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

    A model is a dataclass whose init fields are its settings: `mmbench.identity` reads them. It has a method for each
    `Method` that it can do; `offers(method)` says which, where having it does not mean that (a cascade).
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


@runtime_checkable
class DocumentReader(Model, Protocol):
    """A model that says how likely a document is."""

    def document_loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Read the parts of each sample, raw: `Output.readings` has one for each text node that is no instruction.

        A node is tokenised by itself, with a line end after it, so that its tokens do not depend on what stands around
        it. What is longer than the model's context loses whole nodes from its end, and has a note.
        """


@runtime_checkable
class Encoder(Model, Protocol):
    """A model that makes vectors."""

    def embed(self, batch: Sequence[Sample]) -> list[Output]:
        """Embed the parts of each sample: `Output.vectors[QUERY]`, of shape (d,)."""


class Scorer(Protocol):
    """A metric as additive statistics, so that corpus value, interval and paired test are one piece of code.

    It may also have
    - `fitted(samples)`: the scorer with facts about all samples that are scored together, such as labels.
    - `joined_by`, a group field, and `join(rows)`: samples with one value in it are one question (CircularEval);
      `join` makes its statistics, of shape (k,), from theirs, of shape (m, k).
    - `averages(language)`: False keeps a language out of the mean over languages, `pools(language)` out of the pool;
      `language_of(sample)` is the one that `averages` is asked about, if not that of the report.
    - `decimals`: with how many values are shown, if not with one.
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
