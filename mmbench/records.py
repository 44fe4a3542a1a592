"""Rows of predictions.jsonl: a sample and its answer in one JSON object, so that scoring needs nothing else.

The same row format is what `mmbench score` reads from other people's systems, so a predictions file can be
scored again, merged and compared without the dataset and without the model. Media are not in it.
"""

from __future__ import annotations

import base64
import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np

from mmbench import languages
from mmbench.errors import UsageError
from mmbench.schema import Audio, Failure, Output, Part, Prediction, Reading, Sample, Step, Text

Row = dict[str, Any]

MISSING = "Missing"
"""Kind of failure of a row without an answer."""


@dataclass(frozen=True, slots=True)
class Record:
    """A sample (without its media) joined with its prediction; `system` names who made it, where the row says so."""

    sample: Sample
    prediction: Prediction
    system: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Language and id: what joins the answers of several systems."""
        return self.sample.language, self.sample.id


def to_row(sample: Sample, prediction: Prediction) -> Row:
    """The JSON object for one answered sample; fields without a value are left out."""
    output, error = prediction.output, prediction.error
    row: Row = {
        "sample_id": sample.id,
        "language": sample.language,
        "source_language": sample.source_language,
        "target_language": sample.target_language,
        "question": question_of(sample),
        "prediction": None if output is None else output.text,
        "references": list(sample.references),
        "choices": list(sample.choices),
        "answer": sample.answer,
        "transcript": sample.transcript,
        "group": dict(sample.group),
        "error": None if error is None else {"kind": error.kind, "message": error.message},
        "seconds": round(prediction.seconds, 4),
    }
    if output is not None:
        # Wrappers give NumPy's numbers too, which JSON has not.
        # JSON has no infinity, and an impossible choice must stay below the others, not become unknown.
        row["choice_scores"] = [_LEAST if score == -math.inf else float(score) for score in output.choice_scores]
        row["choice_lengths"] = [int(length) for length in output.choice_lengths]
        row["prior_scores"] = [_LEAST if score == -math.inf else float(score) for score in output.prior_scores]
        row["readings"] = [list(astuple(reading)) for reading in output.readings]
        row["vectors"] = {name: _packed(vector) for name, vector in output.vectors.items()}
        row["tokens"] = None if output.tokens is None else int(output.tokens)
        row["steps"] = [{"stage": step.stage, "part": step.part, "text": step.text} for step in output.steps]
        row["notes"] = list(output.notes)
    always = ("sample_id", "language", "prediction")
    return {key: value for key, value in row.items() if key in always or value not in (None, [], {})}


def _packed(vector: Sequence[float]) -> str:
    """A vector as base64 of 32-bit floats, little endian: a tenth of its length in digits."""
    return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode()


def _unpacked(text: str) -> tuple[float, ...]:
    return tuple(np.frombuffer(base64.b64decode(text, validate=True), dtype="<f4").tolist())


def question_of(sample: Sample) -> str | None:
    """The sample's own words in the prompt, without the task's; None where it has none, as a clip has."""
    return "\n".join(p.text for p in sample.parts if isinstance(p, Text) and not p.instruction).strip() or None


_LEAST = -1e308
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "sample_id": str,
    "language": str,
    "source_language": str,
    "target_language": str,
    "question": str,
    "prediction": str,
    "references": list,
    "choices": list,
    "transcript": str,
    "group": dict,
    "error": dict,
    "choice_scores": list,
    "choice_lengths": list,
    "prior_scores": list,
    "steps": list,
    "notes": list,
    "readings": list,
    "vectors": dict,
    "system": str,
    "seconds": (int, float),
    "tokens": int,
}


_NAMES = {
    str: "text",
    list: "a list",
    dict: "an object",
    int: "a whole number",
    (int, float): "a number",
    bool: "true or false",
}


def from_row(row: object, *, where: str) -> Record:
    """Read one row.

    Args:
        row: the decoded JSON value.
        where: "FILE:LINE", for the message.

    Raises:
        UsageError: the row is not as documented; the message names the field and how to mend it.
    """
    if not isinstance(row, Mapping):
        raise UsageError(f"{where}: a row must be a JSON object, not {type(row).__name__}")
    if isinstance(row.get("sample_id"), int) and not isinstance(row["sample_id"], bool):
        row = {**row, "sample_id": str(row["sample_id"])}
    for key in ("sample_id", "language"):
        if row.get(key) in (None, ""):
            raise UsageError(f"{where}: field '{key}' is missing; every row needs sample_id, language and prediction")
    for key, value in row.items():
        kind = _FIELDS.get(key)
        if kind is not None and value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise UsageError(
                f"{where}: field '{key}' must be {_NAMES[kind]}, not {_NAMES.get(type(value), 'a number')}"
            )
    for key in ("references", "choices"):
        if not all(isinstance(value, str) for value in row.get(key) or ()):
            raise UsageError(f"{where}: field '{key}' must be a list of strings")
    tags = {key: _tag(row, key, where) for key in _LANGUAGE_FIELDS}
    transcript, question = row.get("transcript"), row.get("question")
    # A part without media stands for the clip, so that `Sample.transcript` works as it does on the original.
    parts: tuple[Part, ...] = () if transcript is None else (Audio(b"", transcript=transcript),)
    sample = Sample(
        id=row["sample_id"],
        language=tags["language"] or "",
        parts=parts if question is None else (*parts, Text(question)),
        references=tuple(row.get("references") or ()),
        choices=tuple(row.get("choices") or ()),
        answer=_answer(row, where),
        source_language=tags["source_language"],
        target_language=tags["target_language"],
        group={str(key): str(value) for key, value in (row.get("group") or {}).items() if value is not None},
    )
    return Record(sample, _prediction(row, sample, where), row.get("system"))


_LANGUAGE_FIELDS = ("language", "source_language", "target_language")


def _tag(row: Mapping[str, Any], key: str, where: str) -> str | None:
    try:
        return languages.tag(row[key]) if row.get(key) else None
    except UsageError as error:
        raise UsageError(f"{where}: field '{key}': {error}") from error


def _prediction(row: Mapping[str, Any], sample: Sample, where: str) -> Prediction:
    error, text = row.get("error"), row.get("prediction")
    seconds = _float(row.get("seconds") or 0.0)
    if "prediction" not in row:
        _check_spelling("prediction", row, where)
    if error is None and text is None and not any(row.get(key) for key in ("choice_scores", "readings", "vectors")):
        error = {"kind": MISSING, "message": "the row has no prediction"}
    if error is not None:
        failure = Failure(str(error.get("kind", "Error")), str(error.get("message", "")))
        return Prediction(sample_id=sample.id, language=sample.language, error=failure, seconds=seconds)
    try:
        output = Output(
            text="" if text is None else str(text),
            steps=tuple(Step(str(s["stage"]), int(s["part"]), str(s["text"])) for s in row.get("steps") or ()),
            choice_scores=tuple(_float(score) for score in row.get("choice_scores") or ()),
            choice_lengths=tuple(int(length) for length in row.get("choice_lengths") or ()),
            prior_scores=tuple(_float(score) for score in row.get("prior_scores") or ()),
            readings=tuple(
                Reading(str(v), int(n), _float(x), int(t), int(b)) for v, n, x, t, b in row.get("readings") or ()
            ),
            vectors={str(name): _unpacked(text) for name, text in (row.get("vectors") or {}).items()},
            tokens=row.get("tokens"),
            notes=tuple(str(note) for note in row.get("notes") or ()),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as cause:
        raise UsageError(
            f"{where}: field 'steps', 'choice_scores', 'readings' or 'vectors' is not as mmbench writes it: {cause!r}"
        ) from cause
    if any(length < 0 for length in output.choice_lengths):
        raise UsageError(f"{where}: field 'choice_lengths' must hold numbers of tokens, none below 0")
    for name in ("choice_scores", "prior_scores"):
        scores = getattr(output, name)
        if scores and len(scores) != len(sample.choices):
            raise UsageError(f"{where}: {len(scores)} {name} for {len(sample.choices)} choices; give one for each")
    return Prediction(sample_id=sample.id, language=sample.language, output=output, seconds=seconds)


def _check_spelling(field: str, row: Mapping[str, Any], where: str) -> None:
    """Refuse a row whose field is almost the wanted one: it would be a failed sample, and nobody would know why."""
    near = difflib.get_close_matches(field, [str(key) for key in row if key not in _FIELDS], n=1, cutoff=0.8)
    if near:
        raise UsageError(f"{where}: field {near[0]!r} is not known; the answer stands in {field!r}")


def _float(value: Any) -> float:
    """A number of a row; null is NaN, which JSON does not have, and what no float can hold is infinite."""
    try:
        return float("nan") if value is None else float(value)
    except OverflowError:
        return float("inf")


def _answer(row: Mapping[str, Any], where: str) -> int | None:
    """0-based index of the right choice, from an index or a capital letter."""
    answer, count = row.get("answer"), len(row.get("choices") or ())
    if answer is None:
        return None
    index = answer
    if isinstance(answer, str) and len(answer) == 1 and "A" <= answer <= "Z":
        index = ord(answer) - ord("A")
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < count:
        raise UsageError(
            f"{where}: field 'answer' is {answer!r}; give the 0-based index or the letter of one of {count} choices"
        )
    return index
