"""Over which languages a judge's scores may be averaged: those in which it was compared with people.

Judges score some languages higher than people do, so a mean over languages mixes the judge's bias with the models'
(Hada et al. 2024, Are large language model-based evaluators the solution to scaling up multilingual evaluation?).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmbench.errors import UsageError

FORMAT = 1
"""Version of a calibration record."""

LEAST = 6
"""Samples of a language below which no bias can be seen: five judged too high by chance is 1 in 16, six 1 in 32."""


@dataclass(frozen=True, kw_only=True)
class Calibrated:
    """What every scorer of judges has beside its own settings.

    Args:
        calibration: record that `mmbench calibrate --out` wrote; a language of which it has `LEAST` samples counts in
            the mean over languages.
        average_uncalibrated: whether all languages do, with a record or without.
    """

    calibration: str | None = None
    average_uncalibrated: bool = False
    _record: dict[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def averages(self, language: str) -> bool:
        """Whether a language counts in the mean over languages."""
        found = self._record.get("languages", {}).get(language, {})
        return self.average_uncalibrated or found.get("n", 0) >= LEAST

    def pools(self, language: str) -> bool:
        """The same of several languages pooled, which is a mean too."""
        return self.averages(language)

    def calibrate(self, rules: str) -> None:
        """Read the record, for a scorer that reads judges by these rules.

        Raises:
            UsageError: it is no record, or one of other rules.
        """
        if self.calibration is None:
            return
        try:
            record = json.loads(Path(self.calibration).expanduser().read_text(encoding="utf-8"))
            found, known = record["rules"], record["format"] == FORMAT and isinstance(record["languages"], dict)
        except OSError as error:
            raise UsageError(f"calibration={self.calibration}: cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{self.calibration}: no calibration record ({error!r}); make one: {_HOW}") from error
        if not known:
            raise UsageError(f"{self.calibration}: a record of another version; make one: {_HOW}")
        if found != rules:
            raise UsageError(f"{self.calibration}: was made by {found}, not by {rules}; make one: {_HOW}")
        object.__setattr__(self, "_record", record)

    @property
    def averaging(self) -> str:
        """Which languages count in the mean, for the signature."""
        if self.average_uncalibrated:
            return "all"
        if not self._record:
            return "none"
        text = json.dumps(self._record["languages"], sort_keys=True, ensure_ascii=False)
        return f"calibrated-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


_HOW = "mmbench calibrate JUDGED HUMAN --out record.json"
