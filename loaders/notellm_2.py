"""NoteLLM-2: the note that people who read one note read next, among all notes; each is a picture and a text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from loaders.published import Published
from loaders.recordings import present
from loaders.spoken import check
from mmbench.errors import UsageError
from mmbench.schema import ITEM, Card, Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mmbench.schema import Part

PAIRS = ("test", "test_longquery", "test_shortquery", "test_longgtdoc", "test_shortgtdoc", "val", "train")
"""Tables of pairs: all, and those whose query or whose other note is long or short."""

LANGUAGE = "zho_Hans"
_COLUMNS = ("note", "title", "content", "image", "category")
_TOPIC = re.compile(r"#(\w+)#")
_COMMA = "\uff0c"
_TITLE, _TOPICS, _TOPIC_LENGTH = 20, 10, 16


@dataclass(kw_only=True)
class NoteLlm2:
    """Pairs of notes of a network for recommendations: embed one, find the other (`Sample.variants["item"]`).

    A note is its picture, title, topics and text, shortened as in the published code: 20 characters of the title, ten
    topics ("#word#" in the text) of at most 16 characters and 80 characters of the rest. Traps:

    - As in the published code a pair counts only if neither of its notes was in one before it, so that a query has one
      right answer and no query is an answer.
    - The published pool is all notes but the queries; here it is the right answers of all queries, so that recall is
      higher than in the paper. Only made-up notes are published: there is nothing to compare with anyhow.
    - The published code goes on with a black picture where one cannot be read and skips pairs of unknown notes; here
      both are errors.

    Args:
        location: folder with notes_*.csv (note, title, content, image, category; no header), note_pairs_*.csv (two
            notes) and images_test or images, or fixture://notellm_2.
        pairs: one of `PAIRS`.
        input: "both", or "text" or "image" alone.
        max_text: characters of the text; None for all of it and of the title.

    The layout was read from Applied-Machine-Learning-Lab/NoteLLM f605cd5 (data.py, eval_recall.py and made-up data).
    """

    location: str = field(default="notellm_2", compare=False)
    pairs: str = "test"
    input: str = "both"
    max_text: int | None = 80

    def __post_init__(self) -> None:
        """Check the settings."""
        check("pairs", self.pairs, PAIRS)
        check("input", self.input, ("both", "text", "image"))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location)

    @cached_property
    def _files(self) -> tuple[str, str]:
        """Table of notes and table of pairs."""
        notes = "notes_test.csv" if self.pairs.startswith("test") else "notes_train.csv"
        return self._published.find(notes)[0], self._published.find(f"note_pairs_{self.pairs}.csv")[0]

    @cached_property
    def _notes(self) -> dict[str, Mapping[str, str]]:
        found: dict[str, Mapping[str, str]] = {}
        for row in self._published.table(self._files[0], columns=_COLUMNS):
            if row["note"] in found:
                raise UsageError(f"{self._files[0]}: note {row['note']} is there twice; leave one")
            found[row["note"]] = row
        return found

    def _pairs(self) -> Iterator[tuple[str, str]]:
        """Pairs none of whose notes is in one before."""
        used = set[str]()
        for row in self._published.table(self._files[1], columns=("query", "item")):
            for note in row.values():
                if note not in self._notes:
                    raise UsageError(f"{self._files[1]}: note {note} is not in {self._files[0]}; download both again")
            pair = (row["query"], row["item"])
            if not used & set(pair):
                used |= set(pair)
                yield pair

    def __iter__(self) -> Iterator[Sample]:
        """Yield the queries in the order of the pairs."""
        for query, item in self._pairs():
            yield Sample(
                id=f"{query}/{LANGUAGE}",
                language=LANGUAGE,
                parts=self._parts(query),
                variants={ITEM: self._parts(item)},
                group={"item": item, "category": self._notes[query]["category"]},
            )

    def _parts(self, note: str) -> tuple[Part, ...]:
        row = self._notes[note]
        parts: list[Part] = []
        if self.input != "text":
            folder, name = "images_test" if self.pairs.startswith("test") else "images", row["image"]
            root = self._published.folder
            path = self._published.path(f"{folder}/{name}") if root is None else present(root, f"{folder}/{name}")
            if path is None:
                raise UsageError(
                    f"{self._files[0]}: note {note}: no image {folder}/{name}, or it is empty; put it there"
                )
            parts.append(Image(path))
        if self.input != "image":
            parts.append(Text(shortened(row["title"], row["content"], self.max_text)))
        return tuple(parts)

    @property
    def count(self) -> int:
        """Number of queries."""
        return sum(1 for _ in self._pairs())

    @property
    def card(self) -> Card:
        """Identity and terms; images count by their names alone."""
        return Card(
            name="notellm_2",
            revision=self._published.described,
            content=self._published.content(list(self._files)),
            languages=(LANGUAGE,),
            licence="code Apache-2.0; the notes are not published",
            source="https://github.com/Applied-Machine-Learning-Lab/NoteLLM",
            citation="Zhang et al. 2024, NoteLLM-2: Multimodal Large Representation Models for Recommendation "
            "(arXiv:2405.16789)",
        )


def shortened(title: str, content: str, length: int | None) -> str:
    """Title, topics and text of a note, a line each, as long as the published code lets them be; empty ones left out.

    Args:
        title: of the note.
        content: its text, topics in it as `#word[话题]#`.
        length: of the text in characters; None leaves all as it is.
    """
    if length is None:
        return "\n".join(part for part in (title.strip(), content.strip()) if part)
    plain = content.replace("\0", "").replace("[话题]", "")
    topics = [found[0] for found in _TOPIC.finditer(plain) if len(found[0]) <= _TOPIC_LENGTH]
    for topic in topics:
        plain = plain.replace(topic, "")
    words = _COMMA.join(topic.strip("#") for topic in topics[:_TOPICS])
    parts = (title.replace("\0", "")[:_TITLE], words, plain.replace("\n", "。")[:length])
    return "\n".join(part.strip() for part in parts if part.strip())
