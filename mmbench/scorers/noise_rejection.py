"""Whether a model stays silent where nobody speaks, and only there (the idea of VITA, Fu et al. 2024)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mmbench import __version__, refusals
from mmbench.errors import UsageError
from mmbench.scorers.mean import ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample, Stats

GROUP_FIELD = "speech"
"""Field of `Sample.group`: "yes" where somebody speaks, "no" where there is only noise."""

STATE = "state "
"""What the note of a model's state begins with: "state <2>"."""

_TAG = re.compile(r"[\[(<*\u3010\uff08][^\[\]()<>*\u3010\u3011\uff08\uff09]{0,40}[\])>*\u3011\uff09]")


@dataclass(frozen=True, kw_only=True)
class NoiseRejection:
    """Share of samples with the right reaction, 0 to 1: none to noise, a reply to speech.

    An answer is no reply where the model says so by its state (a note "state <2>", as VITA's wrapper writes), where it
    is empty but for tags such as "[noise]" or "(music)" and punctuation, or where it declines (`mmbench.refusals`). The
    rates on noise and on speech are shown apart as counts: one that is silent always is right on all noise. A failed
    sample is wrong in either case. Samples without the group field `speech` add nothing.

    Args:
        noise_states: states that mean noise.
        name: of the metric in tables.

    Raises:
        UsageError: a state is no text.
    """

    noise_states: Sequence[str] = ("<2>",)
    name: str = "noise_rejection"

    higher_is_better: ClassVar[bool] = True
    proportion: ClassVar[bool] = True
    fraction: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what a configuration misspells, before any model has worked."""
        states = (self.noise_states,) if isinstance(self.noise_states, str) else tuple(self.noise_states)
        if not all(isinstance(state, str) and state.strip() for state in states):
            raise UsageError(f"{self.name}: noise_states={list(states)}: give texts such as '<2>'")
        object.__setattr__(self, "noise_states", states)

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """Right, total, noise that was rejected, noise, speech that was answered, speech: of shape (6,).

        Raises:
            UsageError: the group field is neither yes nor no.
        """
        kind = sample.group.get(GROUP_FIELD)
        if kind is None:
            return np.zeros(6)
        if kind not in ("yes", "no"):
            raise UsageError(f"sample {sample.id}: group field {GROUP_FIELD!r} is {kind!r}; write yes or no")
        noise = kind == "no"
        right = output is not None and self.silent(output, sample.written) == noise
        return np.array([right, 1, right and noise, noise, right and not noise, not noise], dtype=np.float64)

    def silent(self, output: Output, language: str) -> bool:
        """Whether an answer is no reply."""
        states = {note.removeprefix(STATE) for note in output.notes if note.startswith(STATE)}
        if states & set(self.noise_states):
            return True
        said = _TAG.sub("", output.text)
        return not any(char.isalnum() for char in said) or refusals.refused(output.text, language)

    def reduce(self, totals: Stats) -> NDArray[np.float64]:
        """Shares of shape (...) from totals of shape (..., 6); NaN where there are no samples."""
        return ratio(totals[..., 0], totals[..., 1])

    def unparsed(self, stats: Stats) -> float:
        """0: any text is an answer, and none is one too."""
        return 0.0

    def counts(self, totals: Stats) -> dict[str, float]:
        """How much noise is rejected and how much speech is answered, each with how much there is."""
        names = ("noise rejected", "noise", "speech answered", "speech")
        return dict(zip(names, totals[2:].tolist(), strict=True))

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        states = "+".join(sorted(self.noise_states)) or "none"
        return f"{self.name}|states:{states}|empty:tags|refusals:{refusals.VERSION}|mmbench:{__version__}"
