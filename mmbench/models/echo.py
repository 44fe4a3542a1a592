"""Models without weights: `Echo` says what it was given, `Gold` what is right, `Published` what a system once said.

They ship because whoever writes a loader, a task or a scorer can run the whole flow with them in a second.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mmbench.errors import SampleError
from mmbench.media import load_audio, load_frames, load_image
from mmbench.models.parts import clips
from mmbench.schema import QUERY, Audio, Image, Output, Part, Reading, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

FRAMES = 8
"""Frames of a video that `Echo` decodes, spread over it."""


@dataclass(frozen=True, kw_only=True)
class Echo:
    """Repeats the prompt, with each clip and image replaced by what decoding it shows.

    Media are decoded like a real model's, so that broken files fail here too. A choice's log-likelihood is minus
    the number of its characters that the prompt does not hold.
    """

    name: str = "echo"
    rate: int = 16000

    def load(self) -> None:
        """Nothing to load."""

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """The prompt as text, such as "Transcribe: <audio 2.31 s>"."""
        return [Output(text="".join(self._say(part) for part in sample.parts)) for sample in batch]

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Prefer the choice whose characters are in the prompt; ties go to the first."""
        outputs = []
        for sample, said in zip(batch, self.generate(batch), strict=True):
            if not sample.choices:
                raise SampleError(f"sample {sample.id} has no choices to rank; give some or use a task that generates")
            scores = tuple(-float(sum(char not in said.text for char in choice)) for choice in sample.choices)
            lengths = tuple(len(choice) for choice in sample.choices)
            best = max(range(len(scores)), key=scores.__getitem__)
            outputs.append(Output(text=sample.choices[best], choice_scores=scores, choice_lengths=lengths))
        return outputs

    def document_loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Find every byte as likely as every other: 8 bits each, whatever stands around them."""
        outputs = []
        for sample, said in zip(batch, self.generate(batch), strict=True):  # media have to be readable here too
            sizes = [len(f"{p.text}\n".encode()) for p in sample.parts if isinstance(p, Text) and not p.instruction]
            readings = (Reading("", node, -size * math.log(256), size, size) for node, size in enumerate(sizes))
            outputs.append(replace(said, readings=tuple(readings)))
        return outputs

    def embed(self, batch: Sequence[Sample]) -> list[Output]:
        """Count the characters of the prompt by code point modulo 64: a vector of shape (64,)."""
        outputs = []
        for said in self.generate(batch):
            counts = Counter(ord(char) % 64 for char in said.text)
            outputs.append(replace(said, vectors={QUERY: tuple(float(counts[value]) for value in range(64))}))
        return outputs

    def _say(self, part: Part) -> str:
        if isinstance(part, Text):
            return part.text
        if isinstance(part, Audio):
            return f"<audio {len(load_audio(part, rate=self.rate)) / self.rate:.2f} s>"
        if isinstance(part, Image):
            width, height = load_image(part).size
            return f"<image {width}x{height}>"
        frames = load_frames(part, count=FRAMES)
        width, height = frames[0].size
        return f"<video {len(frames)} frames of {width}x{height}>"


@dataclass(frozen=True, kw_only=True)
class Gold:
    """Answers with the reference: as a stage with the transcript of each clip, as a model with the right answer.

    In the place of a cascade's stage it makes the topline, which shows what that stage costs.
    """

    name: str = "gold"

    def load(self) -> None:
        """Nothing to load."""

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """The transcript of the media where there is one, else the first reference or the right choice."""
        return [Output(text=self._answer(sample)) for sample in batch]

    def loglikelihood(self, batch: Sequence[Sample]) -> list[Output]:
        """Probability one for the right choice."""
        outputs = []
        for sample in batch:
            if sample.answer is None:
                raise SampleError(f"sample {sample.id} has no answer to give; the gold model needs one")
            scores = tuple(0.0 if index == sample.answer else -100.0 for index in range(len(sample.choices)))
            outputs.append(Output(text=sample.choices[sample.answer], choice_scores=scores))
        return outputs

    def _answer(self, sample: Sample) -> str:
        if sample.references:
            return sample.references[0]
        if sample.answer is not None:
            return sample.choices[sample.answer]
        if sample.transcript is not None:
            return sample.transcript
        raise SampleError(f"sample {sample.id} has neither reference nor transcript; the gold model needs one")


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a system said of each clip according to the dataset itself, as Fleurs-SLU has it for two systems.

    In the place of a cascade's stage it makes the published cascade without running its speech recognition.

    Args:
        system: name of the system among `Audio.hypotheses`.
        name: name of the model's folder in the results.
    """

    system: str
    name: str = "published"

    def load(self) -> None:
        """Nothing to load."""

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """The published text of each clip, in order."""
        return [Output(text=" ".join(self._said(sample, clip) for clip in clips(sample))) for sample in batch]

    def _said(self, sample: Sample, clip: Audio) -> str:
        known = dict(clip.hypotheses)
        if self.system not in known:
            has = ", ".join(known) or "none"
            raise SampleError(f"sample {sample.id}: nothing of {self.system} is published; there are texts of: {has}")
        return known[self.system]
