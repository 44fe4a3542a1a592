"""M3GIA: 18 types of questions from tests of intelligence, in six languages, with a picture or without."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from loaders.pictures import picture
from loaders.published import Published, need
from loaders.spoken import check, only
from mmbench.errors import UsageError
from mmbench.schema import Card, Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

log = logging.getLogger(__name__)

LANGUAGES = {
    "eng_Latn": ("english", "en"),
    "fra_Latn": ("french", "fr"),
    "kor_Hang": ("korean", "ko"),
    "por_Latn": ("portuguese", "pt"),
    "spa_Latn": ("spanish", "es"),
    "zho_Hans": ("chinese", "zh"),
}
"""The benchmark's names of the languages, in the order of the tags."""

NAMES = {"Number Seres": "Number Series"}
"""How published names of types are written here, where they are misspelt."""

CLUSTERS = {
    "Common Sense": ("Oral Vocabulary", "General Information", "Logo Problem"),
    "Visual-spatial": ("Visualization", "Picture Recognition", "Real-world Spatial"),
    "Comprehension": ("Readings-text", "Readings-VL", "Comic Problem"),
    "Mathematics": ("Geometry", "Algebra", "Math Facts", "Applied Problem"),
    "Reasoning": (
        "Number Series",
        "Concept Formation",
        "Raven's Matrices",
        "Real-world Reasoning",
        "Syllogism Problem",
    ),
}
"""Types of each cluster."""

ABILITIES = ("Gf", "Gc", "Gv", "Grw", "Gq", "RQ", "I", "RG")
"""Abilities of the Cattell-Horn-Carroll model in the published order."""

_ABILITIES = {
    "Oral Vocabulary": "Gc",
    "General Information": "Gc",
    "Logo Problem": "Gc+Gv",
    "Visualization": "Gv",
    "Picture Recognition": "Gv",
    "Real-world Spatial": "Gv",
    "Readings-text": "Grw",
    "Readings-VL": "Grw",
    "Comic Problem": "Gv+Grw",
    "Algebra": "Gf+Gq+RQ",
    "Geometry": "Gf+Gv+Gq+RQ",
    "Math Facts": "Gq",
    "Applied Problem": "Gf+Gc+Gq+RQ",
    "Number Series": "Gf+RQ+I",
    "Concept Formation": "Gf+I",
    "Raven's Matrices": "Gf+Gv+I",
    "Real-world Reasoning": "Gf+RG",
    "Syllogism Problem": "Gf+Gc+RG",
}
_SEEN = range(176, 186)  # questions of Math Facts that are about what is seen, in every language

GIA_COLUMNS = {
    "General Information": "General_Info",
    "Oral Vocabulary": "Oral_Vocab",
    "Logo Problem": "Logo",
    "Visualization": "Visualization",
    "Picture Recognition": "Pic_Recog",
    "Real-world Spatial": "RW_Spatial",
    "Readings-text": "Readings_text",
    "Readings-VL": "Readings_VL",
    "Comic Problem": "Comic",
    "Math Facts": "Math_Facts",
    "Algebra": "Algebra",
    "Geometry": "Geom",
    "Applied Problem": "Applied_Problem",
    "Number Series": "Number_Series",
    "Concept Formation": "Concept",
    "Raven's Matrices": "Raven",
    "Syllogism Problem": "Syllogism",
    "Real-world Reasoning": "RW_Reason",
}
"""Headings of the tables that the published factor model reads, in their order, by type."""

_LETTERS = "ABCDEF"
_NOTHING = ("", "nan", "none")


@dataclass(kw_only=True)
class M3gia:
    """The questions of each language's Parquet file, with the answers that are published apart from them.

    The parts are the picture, where there is one, and hint and question as text; choices are the texts of the options.

    - Answers are in answer_dict_LANGUAGE.jsonl of the repository on GitHub, each one JSON array whatever its name says:
      they are joined by `index`, and a question whose type is another there is refused.
    - Questions of one number are not translations of each other: there is nothing parallel to compare.
    - Options end at the first empty one (NaN); 4 to 6 are there, so that chance differs by question.
    - "Number Seres" is reported as Number Series.
    - A question has several abilities (`group["abilities"]`, and "yes" or "no" in a field for each of them): the shares
      by ability overlap.
    - The published prompt says "causal commonsense reasoning" of everything and is English in all languages; the tasks
      here ask without it.

    Args:
        location: the repository on the hub, a folder with its files, or fixture://m3gia.
        revision: commit on the hub.
        answers: folder with the files of answers; None where they are in `location`.
        languages: codes, any spelling; None for all that have files.
        split: "test", which is all there is.

    The layout is that of inference_only.py, utils/data_utils.py and data/ground_truth in songweii/M3GIA.
    """

    location: str = field(default="Songweii/M3GIA", compare=False)
    revision: str | None = field(default=None, compare=False)
    answers: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: Literal["test"] = "test"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("split", self.split, ("test",))
        only(self.languages, LANGUAGES)

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _answers(self) -> Published:
        return self._published if self.answers is None else Published(location=self.answers)

    @cached_property
    def _files(self) -> dict[str, tuple[str, ...]]:
        """Files of questions by tag, in the order of the tags."""
        found = {tag: self._published.glob(*_patterns(tag)) for tag in only(self.languages, LANGUAGES)}
        for tag, files in found.items():
            if not files and (self.languages is not None or not any(found.values())):
                raise UsageError(f"{self.location}: no files of {tag} ({' or '.join(_patterns(tag))})")
        return {tag: files for tag, files in found.items() if files}

    def _answer_file(self, tag: str) -> str:
        name = f"answer_dict_{LANGUAGES[tag][0]}.jsonl"
        if found := self._answers.glob(name, f"**/{name}"):
            return found[0]
        raise UsageError(
            f"{self._answers.location}: no {name}; give answers=FOLDER with the files of data/ground_truth in "
            "https://github.com/songweii/M3GIA"
        )

    def _key(self, tag: str) -> dict[str, tuple[str, str]]:
        """Type and letter of each question of a language."""
        file = self._answer_file(tag)
        key: dict[str, tuple[str, str]] = {}
        for row in _array(self._answers, file):
            name = _number(need(row, "question_id", file))
            if name in key:
                raise UsageError(f"{file}: question_id {name} is there twice; download it again")
            key[name] = str(need(row, "question_type", file)).strip(), str(need(row, "ground_truth", file)).strip()
        return key

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples by language in the order of the tags, in the order of the files."""
        for tag, files in self._files.items():
            key, seen = self._key(tag), set[str]()
            for row in self._published.parquet(files):
                name = _number(need(row, "index", files[0]))
                if name in seen or name not in key:
                    why = "is there twice" if name in seen else f"has no answer in {self._answer_file(tag)}"
                    raise UsageError(f"{files[0]}: question {name} {why}; download both again")
                seen.add(name)
                yield _sample(row, name, tag, *key[name])
            if missing := len(key.keys() - seen):
                log.warning("%s: %d of %d questions with an answer are not in it", files[0], missing, len(key))

    @property
    def card(self) -> Card:
        """Identity and terms; the content hash is of questions and answers."""
        questions = self._published.content([name for files in self._files.values() for name in files])
        answers = self._answers.content([*map(self._answer_file, self._files)])
        return Card(
            name="m3gia",
            revision=self._published.described,
            content=hashlib.sha256(f"{questions} {answers}".encode()).hexdigest(),
            languages=tuple(self._files),
            licence="Apache-2.0",
            source="https://github.com/songweii/M3GIA",
            citation="Song et al. 2024, M3GIA: A Cognition Inspired Multilingual and Multimodal General Intelligence "
            "Ability Benchmark (arXiv:2406.05343)",
        )


def _patterns(tag: str) -> tuple[str, ...]:
    name, code = LANGUAGES[tag]
    return f"{name}/test-*.parquet", f"**/{code}_final*.parquet", f"**/{name}*.parquet", f"**/{code}.parquet"


def _sample(row: Mapping[str, Any], name: str, tag: str, published: str, letter: str) -> Sample:
    where = f"{name}/{tag}"
    kind, own = NAMES.get(published, published), str(need(row, "QuestionTypes", where)).strip()
    if kind not in GIA_COLUMNS or own != published:
        raise UsageError(f"{where}: is of type {own}, and its answer of type {published}; download both again")
    choices = options(row, where)
    if len(letter) != 1 or letter not in _LETTERS[: len(choices)]:
        raise UsageError(f"{where}: the answer {letter!r} is none of {len(choices)} options; download both again")
    words = "\n".join(text for text in (_text(row.get("hint")), _text(row.get("question"))) if text)
    if not words:
        raise UsageError(f"{where}: has neither question nor hint; download it again")
    shown = () if row.get("image") is None else (Image(picture(row["image"], where)),)
    has = abilities(kind, int(name))
    return Sample(
        id=where,
        language=tag,
        parts=(*shown, Text(words)),
        choices=choices,
        answer=_LETTERS.index(letter),
        group={
            "type": kind,
            "cluster": next(cluster for cluster, kinds in CLUSTERS.items() if kind in kinds),
            "abilities": "+".join(has),
            **{ability: "yes" if ability in has else "no" for ability in ABILITIES},
            "image": "yes" if shown else "no",
        },
    )


def abilities(kind: str, number: int) -> tuple[str, ...]:
    """Abilities that a question of a type is about; they are the same in all languages."""
    own = set(_ABILITIES[kind].split("+"))
    if kind == "Math Facts" and number in _SEEN:
        own.add("Gv")
    return tuple(ability for ability in ABILITIES if ability in own)


def options(row: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """Texts of the options that a row has; behind the last one there is nothing, NaN or a word for that.

    An option "None" before others is one, although the benchmark's own code ends there.

    Raises:
        UsageError: there is an option behind an empty one.
    """
    last = max((n for n, letter in enumerate(_LETTERS, 1) if _text(row.get(letter))), default=0)
    for letter in _LETTERS[:last]:
        if not _written(row.get(letter)):
            raise UsageError(f"{where}: option {letter} is empty, and one behind it is not; download it again")
    return tuple(_written(row[letter]) for letter in _LETTERS[:last])


def _written(value: object) -> str:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value).strip()


def _text(value: object) -> str:
    """A field without spaces around it; empty where there is nothing in it, or a word of tables for that."""
    text = _written(value)
    return "" if text.lower() in _NOTHING else text


def _number(value: object) -> str:
    """The number of a question, which a table may hold as text, whole or with a decimal point."""
    text = str(value).strip().removesuffix(".0")
    if not text.isdecimal():
        raise UsageError(f"question {value!r} has no number; download it again")
    return str(int(text))


def _array(published: Published, name: str) -> list[Mapping[str, Any]]:
    """Objects of a file that is one JSON array, or has one object in each line."""
    path = published.path(name)
    text = path.read_text(encoding="utf-8-sig")
    if not text.lstrip().startswith("["):
        return list(published.lines(name))
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON ({error}); download it again") from None
    return [row for row in rows if isinstance(row, dict)]
