"""Models and a loader without weights or files, for tests of the flow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mmbench.errors import ModelLoadError
from mmbench.records import Record
from mmbench.schema import Card, Output, Prediction, Sample, Text
from mmbench.scorers.accuracy import Accuracy
from mmbench.scorers.edit import ErrorRate
from mmbench.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

WER = ErrorRate(name="wer", unit="word")
LANGUAGES = ("eng_Latn", "swh_Latn", "tha_Thai")


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A dataset that is given as samples."""

    items: tuple[Sample, ...] = field(compare=False)
    name: str = "listed"
    content: str = "0" * 64

    @property
    def card(self) -> Card:
        found = tuple(sorted({sample.language for sample in self.items}))
        return Card(name=self.name, revision="1", content=self.content, languages=found, licence="CC0", source="here")

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.items)


@dataclass(kw_only=True)
class Spy:
    """Repeats the text of a prompt, keeps the ids of each batch, and does in between what `act` does."""

    name: str = "spy"
    setting: int = 0
    act: Callable[[Sequence[Sample], int], None] = field(default=lambda batch, call: None, compare=False)
    calls: list[list[str]] = field(default_factory=list, init=False)
    loads: int = field(default=0, init=False)

    def load(self) -> None:
        self.loads += 1

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        self.calls.append([sample.id for sample in batch])
        self.act(batch, len(self.calls))
        return [Output(text=said(sample)) for sample in batch]

    @property
    def asked(self) -> list[str]:
        """Ids of all samples that it was asked for, in order."""
        return [name for call in self.calls for name in call]


@dataclass(kw_only=True)
class Broken:
    """A model whose weights are not there."""

    name: str = "broken"
    error: Exception = field(default_factory=lambda: ModelLoadError("no weights; get them"))

    def load(self) -> None:
        raise self.error

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        raise AssertionError("a model that is not loaded is asked")


@dataclass(kw_only=True)
class Answers:
    """Gives whatever it is told to, of any type."""

    outputs: Any
    name: str = "answers"

    def load(self) -> None:
        """Nothing to load."""

    def generate(self, batch: Sequence[Sample]) -> Any:
        return self.outputs(batch) if callable(self.outputs) else self.outputs


@dataclass(kw_only=True)
class Ranks:
    """Gives each choice the score that `scores` says."""

    scores: tuple[float, ...]
    name: str = "ranks"

    def load(self) -> None:
        """Nothing to load."""

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        return [Output(text=sample.choices[0], choice_scores=self.scores) for sample in batch]


def said(sample: Sample) -> str:
    """The text of a sample's prompt."""
    return "".join(part.text for part in sample.parts if isinstance(part, Text))


def sample(index: int, language: str | None = None, **fields: Any) -> Sample:
    """A sample whose text is its reference; every third one's is not."""
    text = f"word{index} and more"
    return Sample(
        id=f"s{index:03}",
        language=language or LANGUAGES[index % len(LANGUAGES)],
        parts=(Text(text),),
        references=(text if index % 3 else "another text",),
        **fields,
    )


def task(count: int = 20, **settings: Any) -> Task:
    """A task of `count` samples in three languages, scored by word error rate."""
    loader = settings.pop("loader", None) or Listed(items=tuple(sample(index) for index in range(count)))
    return Task(**{"name": "repeat", "loader": loader, "scorers": {"wer": WER}, **settings})


def choosing(count: int = 6) -> Task:
    """A task of likelihoods of two choices."""
    items = tuple(sample(index, choices=("yes", "no"), answer=index % 2) for index in range(count))
    return Task(name="choose", loader=Listed(items=items), scorers={"accuracy": Accuracy()}, method="loglikelihood")


def record(index: int, text: str | None, **fields: Any) -> Record:
    """A sample with an answer; None is a failed one."""
    from mmbench.schema import Failure

    asked = sample(index, **fields)
    output, error = (None, Failure("RuntimeError", "broken")) if text is None else (Output(text=text), None)
    return Record(asked, Prediction(sample_id=asked.id, language=asked.language, output=output, error=error))
