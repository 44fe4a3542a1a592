"""Few-shot prompts: worked examples before the question, chosen by a seed or by likeness, in any language."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from mmbench import languages
from mmbench.errors import UsageError
from mmbench.schema import QUERY, Encoder, Loader, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Part

_LABEL = re.compile(r"(\d+)shot(?:_([a-z]{3}_[A-Z][a-z]{3}))?_(?:seed\d+|similar)")

Choose = Literal["random", "similar"]
"""How demonstrations are chosen: by a hash of seed and ids, or the most alike to the question."""

SAME = ("image", "item", "stamp", "sentence", "document", "pair", "question")
"""Group fields of which a demonstration shares none with the question: it would give the answer away."""


@dataclass(kw_only=True)
class Shots:
    """Demonstrations for each question; with one seed the last ones of 8 are those of 4, so that curves are paired.

    A demonstration is a sample with the task's own prompt around it and its right answer after that: its letter where
    the prompt shows lettered choices, else the text of the choice or the first reference. The most alike stands last,
    next to the question. The words of a demonstration count as instruction: no stage of a cascade translates them.
    Under a condition, such as noise, the recordings of demonstrations stay clean.

    Chosen by likeness it is RICES (Yang et al. 2022, arXiv:2109.05014; OpenFlamingo, arXiv:2308.01390) by any model
    that embeds.

    Args:
        loader: where demonstrations come from; best another split than that of the questions.
        count: demonstrations before each question.
        seed: of what is random.
        language: of the demonstrations, any spelling; None is that of the question.
        choose: one of `Choose`.
        by: for "similar", the model whose vectors of prompts are compared, by their cosine.
        pool: samples of each language, the first of the loader, that are chosen among.
        separator: between demonstrations, and before the question.
    """

    loader: Loader
    count: int = 4
    seed: int = 0
    language: str | None = None
    choose: Choose = "random"
    by: Encoder | None = None
    pool: int = 512
    separator: str = "\n\n"
    _pools: dict[str, list[Sample]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _vectors: dict[str, NDArray[np.float64]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the settings."""
        if not isinstance(self.count, int) or self.count < 1 or self.pool < self.count:
            raise UsageError(f"shots.count={self.count}: must be a whole number from 1 to shots.pool={self.pool}")
        if self.choose not in get_args(Choose):
            raise UsageError(f"shots.choose={self.choose!r} is not known: give one of {', '.join(get_args(Choose))}")
        if (self.choose == "similar") != (self.by is not None):
            raise UsageError("shots.choose=similar needs shots.by, a model that embeds, and only it has any use of one")
        if self.language is not None:
            self.language = languages.tag(self.language)

    def before(self, sample: Sample, template: str, *, letters: bool) -> tuple[Part, ...]:
        """The demonstrations for a sample, in the task's prompt.

        Raises:
            UsageError: there are too few that may stand beside the sample, or one has no answer.
        """
        parts: list[Part] = []
        for shown in self.chosen(sample):
            parts += demonstration(shown, template, letters=letters)
            parts.append(Text(self.separator, instruction=True))
        return tuple(parts)

    def chosen(self, sample: Sample) -> list[Sample]:
        """Which demonstrations a sample gets, in the order in which they stand."""
        language = self.language or sample.language
        known = self._known(language)
        allowed = [index for index, other in enumerate(known) if apart(sample, other)]
        if len(allowed) < self.count:
            raise UsageError(
                f"shots.count={self.count}: sample {sample.id} has {len(allowed)} demonstrations in {language} that "
                "are not about the same item; take fewer, or other data for them (shots.data)"
            )
        if self.choose == "random":
            order = sorted(allowed, key=lambda index: _hash(self.seed, sample.id, known[index].id))
        else:
            near = self._likeness(sample, language)
            order = sorted(allowed, key=lambda index: (-near[index], known[index].id))
        return [known[index] for index in reversed(order[: self.count])]

    def _known(self, language: str) -> list[Sample]:
        if language not in self._pools:
            from mmbench.task import narrowed  # it imports this module's type alone

            found: list[Sample] = []
            for sample in narrowed(self.loader, {language}):
                if sample.language == language:
                    found.append(sample)
                if len(found) == self.pool:
                    break
            self._pools[language] = found
        return self._pools[language]

    def _likeness(self, sample: Sample, language: str) -> NDArray[np.float64]:
        """Cosine of the sample with each demonstration of a language, of shape (n,)."""
        if language not in self._vectors:
            self._vectors[language] = self._embedded(self._known(language))
        found: NDArray[np.float64] = self._vectors[language] @ self._embedded([sample])[0]
        return found

    def _embedded(self, samples: Sequence[Sample]) -> NDArray[np.float64]:
        from mmbench.models.loading import load

        assert self.by is not None
        load(self.by)
        rows = np.array([self.by.embed([sample])[0].vectors[QUERY] for sample in samples], dtype=np.float64)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        unit: NDArray[np.float64] = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
        return unit


def label(*, count: int, seed: int = 0, language: str | None = None, choose: Choose = "random", **_: object) -> str:
    """Short name of settings of `Shots`, fit for a file name: `4shot_eng_Latn_seed0`."""
    own = "" if language is None else f"_{languages.tag(language)}"
    return f"{count}shot{own}_" + (f"seed{seed}" if choose == "random" else "similar")


@dataclass(frozen=True, order=True)
class Shown:
    """How many demonstrations, in which language (empty: that of the question), and whether they are alike to it."""

    count: int = 0
    language: str = ""
    similar: bool = False

    @staticmethod
    def of(label: str) -> Shown | None:
        """Read what `label` made; None where it is the label of something else."""
        found = _LABEL.fullmatch(label)
        return Shown(int(found[1]), found[2] or "", label.endswith("similar")) if found else None

    def __str__(self) -> str:
        """As a row is named: `4 in eng_Latn, similar`."""
        own = f"{self.count} in {self.language}" if self.language else str(self.count)
        return f"{own}, similar" if self.similar else own


def parted(task: str) -> tuple[str, Shown]:
    """Name of a task without its demonstrations, and these."""
    name, _, label = task.rpartition("@")
    shown = Shown.of(label) if name else None
    return (task, Shown()) if shown is None else (name, shown)


def apart(sample: Sample, other: Sample) -> bool:
    """Whether another sample may stand before this one: it is not the same, and not about the same item.

    A question with rotated choices (`Task.circular`) is the same as that of the loader, whose id is in its group.
    """
    shared = (name for name in SAME if name in sample.group)
    return other.id != sample.group.get("circular", sample.id) and not any(
        other.group.get(name) == sample.group[name] for name in shared
    )


def demonstration(sample: Sample, template: str, *, letters: bool) -> list[Part]:
    """A sample in a prompt, with its right answer.

    Raises:
        UsageError: it has no answer.
    """
    from mmbench.task import fill_template, letters_of

    answer = sample.references[0] if sample.references else None
    if sample.answer is not None:
        shown = letters_of(sample.choices) if letters or "{choices}" in template else sample.choices
        answer = shown[sample.answer]
    if answer is None:
        raise UsageError(f"sample {sample.id}: has no answer, so that it demonstrates nothing; give shots other data")
    parts = fill_template(template, sample)
    last = parts[-1].text if isinstance(parts[-1], Text) else "\n"
    gap = " " if last[-1:].strip() and languages.spaced(sample.written) else ""
    given = [replace(part, instruction=True) if isinstance(part, Text) else part for part in parts]
    return [*given, Text(gap + answer, instruction=True)]


def _hash(seed: int, *names: str) -> bytes:
    return hashlib.sha256("\0".join([str(seed), *names]).encode()).digest()
