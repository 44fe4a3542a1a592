"""CVQA: questions about pictures of everyday life in 39 pairs of a language and a country."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.illustrated import literal, options
from loaders.pictures import picture
from loaders.published import Published, need
from loaders.spoken import check, facts, only, usable
from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.schema import Card, Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Written = Literal["native", "english"]
"""Question and options as the annotators wrote them, or in their own translation into English."""

ENGLISH = "eng_Latn"
PAIRS = """
Amharic/Ethiopia Bengali/India Breton/France Bulgarian/Bulgaria Chinese/China Chinese/Singapore Egyptian_Arabic/Egypt
Filipino/Philippines Hindi/India Igbo/Nigeria Indonesian/Indonesia Irish/Ireland Japanese/Japan
Javanese/Indonesia Kinyarwanda/Rwanda Korean/South_Korea Malay/Malaysia Marathi/India Minangkabau/Indonesia
Mongolian/Mongolia Norwegian/Norway Oromo/Ethiopia Portuguese/Brazil Romanian/Romania Russian/Russia Sinhala/Sri_Lanka
Spanish/Argentina Spanish/Chile Spanish/Colombia Spanish/Ecuador Spanish/Mexico Spanish/Spain Spanish/Uruguay
Sundanese/Indonesia Swahili/Kenya Tamil/India Telugu/India Urdu/India Urdu/Pakistan
"""
"""Language and country of the 39 subsets."""


@dataclass(kw_only=True)
class Cvqa:
    """CVQA: 10,374 questions with four options, written by people of the culture that the picture is of.

    - The column `Subset` is the text of a tuple, ('Spanish', 'Mexico'). A language is reported under its tag, and its
      country under `country`: seven countries share Spanish, two each Chinese and Urdu.
    - With `text: english` question, options and answer are English; results stay under the language of the pair.
    - Ids are those of pictures with a number behind them (5919991144272485961_0): a picture has several questions, and
      `image` is the cluster of the tasks.
    - The labels were withheld at first (-1): such a release is refused, since every answer would be wrong.
    - The parser of PangeaBench takes the first of the letters a to d anywhere ("The answer is B" is A) and guesses
      where there is none; here no letter is guessed.
    - All languages share the files: to ask one alone, all are read.

    Args:
        location: the repository on the hub, a folder with its files, or fixture://cvqa.
        revision: commit on the hub.
        languages: codes, any spelling; None for all.
        text: one of `Written`.

    The layout is that of the dataset card of afaji/cvqa; rows as quoted in public code that reads it.
    """

    location: str = field(default="afaji/cvqa", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    text: Written = "native"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        check("text", self.text, get_args(Written))
        _ = self._tags

    @cached_property
    def _tags(self) -> tuple[str, ...]:
        return only(self.languages, sorted({tag(pair.split("/")[0]) for pair in PAIRS.split()}))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> tuple[str, ...]:
        return self._published.find("data/test-*.parquet")

    def __iter__(self) -> Iterator[Sample]:
        """Yield the questions in the order of the files.

        Raises:
            UsageError: a field or a picture is missing, or the labels are withheld.
        """
        return usable(self._samples(), self.location)

    def _samples(self) -> Iterator[Sample]:
        for row in self._published.parquet(self._files):
            where = f"{self._files[0]}: ID {need(row, 'ID', self._files[0])}"
            named, country = _pair(need(row, "Subset", where), where)
            language = tag(named)
            if language in self._tags:
                yield self._sample(row, language, facts(code=named, country=country), where)

    def _sample(self, row: Mapping[str, Any], language: str, pair: Mapping[str, str], where: str) -> Sample:
        english = self.text == "english"
        prefix = "Translated " if english else ""
        choices = options(need(row, f"{prefix}Options", where), where)
        label = int(need(row, "Label", where))
        if label < 0:
            raise UsageError(f"{where}: its label is withheld ({label}); take a later revision, which has the labels")
        if label >= len(choices):
            raise UsageError(f"{where}: label {label} is none of its {len(choices)} options; download it again")
        question = str(need(row, f"{prefix}Question", where)).strip()
        image = str(row["ID"]).rpartition("_")[0] or row["ID"]
        return Sample(
            id=f"{row['ID']}/{language}",
            language=language,
            parts=(Image(picture(row.get("image"), where)), Text(question)),
            choices=choices,
            answer=label,
            source_language=ENGLISH if english else None,
            target_language=ENGLISH if english else None,
            group={**pair, **facts(image=image, category=row.get("Category"), image_type=row.get("Image Type"))},
        )

    def validate(self) -> None:
        """Find the files; rows are read as they are asked for."""
        _ = self._files

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="cvqa",
            revision=self._published.described,
            content=self._published.content(self._files),
            languages=self._tags,
            licence="of each picture: column License; see the dataset card",
            source="https://huggingface.co/datasets/afaji/cvqa",
            citation="Romero et al. 2024, CVQA: Culturally-diverse Multilingual Visual Question Answering Benchmark",
        )


def _pair(subset: object, where: str) -> tuple[str, str]:
    """Language and country of a subset."""
    found = literal(subset, where)
    if len(found) != 2 or not all(isinstance(each, str) for each in found):
        raise UsageError(f"{where}: Subset {str(subset)[:60]!r} is no pair of language and country; download it again")
    return str(found[0]), str(found[1])
