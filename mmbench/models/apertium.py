"""Apertium, rule-based translation between some fifty pairs of languages: a program, not weights.

It is the stage `mt` of a cascade, or a model for translation of text. Debian has the program as `apertium` and each
pair as `apertium-ONE-OTHER`. The options are those of `apertium -h` (version 3.8).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.identity import weights
from mmbench.languages import tag
from mmbench.models.parts import own_text
from mmbench.schema import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmbench.schema import Sample

_BETWEEN = "\n\n"
"""Between texts in one call: the program ends a sentence there, so that no text is the context of another."""
_MEMBERS = {"hbs": ("bos_Latn", "hrv_Latn", "srp_Latn"), "nor": ("nob_Latn", "nno_Latn")}
"""Macrolanguages that stand for several languages in the names of pairs."""


@dataclass(kw_only=True)
class Apertium:
    """The program with the pairs that are installed.

    It translates the sample's own text, without the task's instruction, from `Sample.spoken` into `Sample.written`.

    Args:
        name: name of the model's folder in the results.
        pair: direction as `apertium -l` says it, such as eng-cat_valencia, for all samples; None picks each sample's.
        unknown: whether words that the dictionary lacks keep their mark `*`.
        program: name or path of the program.
        seconds: limit of one call.
    """

    name: str
    pair: str | None = None
    unknown: bool = False
    program: str = field(default="apertium", compare=False)
    seconds: float = field(default=600.0, compare=False)
    _pairs: dict[tuple[str, str], str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def content(self) -> str:
        """Identity of the dictionaries and rules of all installed pairs."""
        found = shutil.which(self.program)
        data = Path(found).resolve().parent.parent / "share" / "apertium" if found else None
        return weights(str(data)) if data is not None and data.is_dir() else "unknown"

    def load(self) -> None:
        """Ask the program which pairs it has.

        Raises:
            ModelLoadError: it is not installed, or lacks the pair of the settings.
        """
        if self._pairs:
            return
        if shutil.which(self.program) is None:
            raise ModelLoadError(
                f"model {self.name}: there is no program {self.program}; apt-get install apertium and a pair such as "
                "apertium-eng-spa"
            )
        modes = self._run(["-l"], "").split()
        if self.pair is not None and self.pair not in modes:
            raise ModelLoadError(f"model {self.name}: pair={self.pair} is not installed, only {', '.join(modes)}")
        self._pairs = directions(modes)

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Translate the text of each sample; texts of one pair share a call, and empty text stays empty."""
        self.load()
        texts = [" ".join(own_text(sample).split()) for sample in batch]
        modes = [self._mode(sample) if text else "" for sample, text in zip(batch, texts, strict=True)]
        answers = [""] * len(batch)
        for mode in dict.fromkeys(filter(None, modes)):
            indices = [index for index, other in enumerate(modes) if other == mode]
            said = self._translate(mode, [texts[index] for index in indices])
            for index, text in zip(indices, said, strict=True):
                answers[index] = text
        return [Output(text=text) for text in answers]

    def _mode(self, sample: Sample) -> str:
        mode = self.pair or self._pairs.get((sample.spoken, sample.written))
        if mode is None:
            known = ", ".join(sorted(set(self._pairs.values())))
            raise SampleError(
                f"sample {sample.id}: {self.name} has no pair from {sample.spoken} into {sample.written}; "
                f"install its package, apertium-ONE-OTHER (installed: {known})"
            )
        return mode

    def _translate(self, mode: str, texts: Sequence[str]) -> list[str]:
        """Translations of texts of one line each, in order."""
        options = [] if self.unknown else ["-u"]
        said = self._run([*options, mode], _BETWEEN.join(texts) + _BETWEEN)
        answers = [line.strip() for line in said.strip("\n").split(_BETWEEN)]
        if len(answers) == len(texts):
            return answers
        if len(texts) == 1:
            return [" ".join(said.split())]
        return [answer for text in texts for answer in self._translate(mode, [text])]

    def _run(self, arguments: Sequence[str], text: str) -> str:
        try:
            done = subprocess.run(
                [self.program, *arguments],
                input=text,
                capture_output=True,
                encoding="utf-8",
                timeout=self.seconds,
            )
        except subprocess.TimeoutExpired:
            raise ModelLoadError(f"model {self.name}: no answer in {self.seconds:g} s; set model.seconds") from None
        if done.returncode:
            why = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it says nothing"]
            raise ModelLoadError(f"model {self.name}: {self.program} {' '.join(arguments)} fails: {why[0]}")
        return done.stdout


def directions(modes: Sequence[str]) -> dict[tuple[str, str], str]:
    """The name of each pair by tags of source and target, from what `apertium -l` lists.

    Variants (`eng-cat_valencia`) and transliterations are left out, and a pair of two-letter codes where there is the
    same with three letters.
    """
    found: dict[tuple[str, str], str] = {}
    for mode in sorted(modes, key=len, reverse=True):
        match = re.fullmatch(r"([a-z]{2,3})-([a-z]{2,3})", mode)
        try:
            sides = [_MEMBERS.get(code) or (tag(code),) for code in match.groups()] if match else [(), ()]
        except UsageError:  # a code of which nothing is known, which no sample can have either
            continue
        for source in sides[0]:
            for target in sides[1]:
                found.setdefault((source, target), mode)
    return found
