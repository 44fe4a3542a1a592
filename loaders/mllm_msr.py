"""Sequential recommendation as MLLM-MSR asks it: will this user choose this item next, by titles and cover images?"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from loaders.published import Published, need, stem
from mmbench.errors import UsageError
from mmbench.schema import Card, Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmbench.schema import Part

LANGUAGE = "eng_Latn"
ANSWERS = ("no", "yes")
"""The choices, as the published code has them: P(yes) is the share of "yes" among both."""


@dataclass(frozen=True, slots=True)
class User:
    """A row of the table: items that the user chose, the last of which is to be predicted, and items that are not."""

    name: str
    items: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(kw_only=True)
class MllmMsr:
    """Each user's next item and items that the user did not choose; every one of them is a question of its own.

    `PointwiseRanking` (scorers `user_recall@3`, `user_auc`, ...) ranks the candidates of a user (group field `query`)
    by the share of "yes" in the likelihood of "no" and "yes". Traps:

    - The published AUC is drawn through the candidates of all users at once; `user_auc` is the mean over users.
    - The published ranks come from an unstable sort, so that ties are broken by chance; here they count by expectation.
    - The published code joins items with covers and titles and drops candidates that lack one, then cuts the rows into
      groups of 21: from the first such item on the groups mix users. Here a missing cover or title is an error.
    - The published test table of Amazon has 5 negatives a user, the paper 20: chance at 3 is 3/6 or 3/21. Items there
      are ordered by their popularity and not by time, and some users have one twice.
    - One of the published scripts compares "yes" and "no", another "Yes" and "No": other tokens, other ranks.
    - MLLM-MSR itself gives the model a summary of the user's taste, which another model wrote; here the model is shown
      the items themselves.

    Args:
        location: folder with the tables and covers (see below), or fixture://mllm_msr.
        dataset: the beginning of the files' names, such as MicroLens-50k or Video_Games.
        history: how many of the items before the next one are shown, the last ones.
        negatives: how many of the negatives are asked, the first ones; None for all.
        covers: whether items have images; without them no image file is needed.

    Files are NAME_user_items_negs_test.{tsv,csv} (user, items and negatives by tab, items by comma, no header; or
    user_items_negs.tsv), NAME_titles.csv (item, title) or NAME_item_desc.tsv (item_id, image, summary), and
    NAME_covers/ITEM.jpg (or NAME_images). The layout was read from YuyangYe/MLLM-MSR bb270c6 and its scripts
    (split.py, preprocessing.ipynb, download_images.py); the folder of Amazon's images is up to their user.
    """

    location: str = field(default="mllm_msr", compare=False)
    dataset: str = "MicroLens-50k"
    history: int = 5
    negatives: int | None = 20
    covers: bool = True

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.history < 1 or (self.negatives is not None and self.negatives < 1):
            raise UsageError(f"history={self.history}, negatives={self.negatives}: give numbers from 1")

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location)

    @cached_property
    def _files(self) -> tuple[str, str]:
        """Table of users and table of items."""
        start = self.dataset
        tables = [f"{start}_user_items_negs_test.tsv", f"{start}_user_items_negs_test.csv", "user_items_negs.tsv"]
        return (
            self._published.find(*tables)[0],
            self._published.find(f"{start}_titles.csv", f"{start}_item_desc.tsv")[0],
        )

    @cached_property
    def _titles(self) -> dict[str, str]:
        name = self._files[1]
        keys = ("item", "title") if name.endswith(".csv") else ("item_id", "summary")
        return {
            str(row[keys[0]]): row[keys[1]].strip() for row in self._published.table(name) if need(row, keys[0], name)
        }

    @cached_property
    def _covers(self) -> dict[str, str]:
        found = self._published.find(f"{self.dataset}_covers/*.*", f"{self.dataset}_images/*.*")
        return {stem(name): name for name in found}

    @property
    def _users(self) -> Iterator[User]:
        name = self._files[0]
        seen = set[str]()
        with self._published.path(name).open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                where, cells = f"{name}:{number}", line.strip().split("\t")
                if len(cells) != 3:
                    raise UsageError(f"{where}: {len(cells)} fields where 3 are expected; download it again")
                items, others = (tuple(one.strip() for one in cell.split(",")) for cell in cells[1:])
                others = others[: self.negatives]
                if len(items) < 2 or len({items[-1], *others}) <= len(others) or self._short(others):
                    raise UsageError(
                        f"{where}: user {cells[0]} needs 2 items or more and {self.negatives or 'some'} negatives, all "
                        "different and none of them the last item; set negatives to what the table has"
                    )
                if cells[0] in seen:
                    raise UsageError(f"{where}: user {cells[0]} is there twice; download it again")
                seen.add(cells[0])
                yield User(cells[0], items, others)

    def _short(self, others: Sequence[str]) -> bool:
        return not all(others) or (self.negatives is not None and len(others) < self.negatives)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the candidates of one user after the other, the right one first."""
        for user in self._users:
            before = user.items[-1 - self.history : -1]
            shown: list[Part] = [Text("Items that a user chose, the last one most recently:\n", instruction=True)]
            for number, item in enumerate(before, 1):
                shown += self._item(f"{number}. ", item, user)
            for candidate in (user.items[-1], *user.others):
                right = candidate == user.items[-1]
                asked = (Text("A further item:\n", instruction=True), *self._item("", candidate, user))
                yield Sample(
                    id=f"{user.name}/{candidate}/{LANGUAGE}",
                    language=LANGUAGE,
                    parts=(*shown, *asked),
                    choices=ANSWERS,
                    answer=ANSWERS.index("yes" if right else "no"),
                    group={"query": user.name, "item": candidate},
                )

    def _item(self, mark: str, item: str, user: User) -> list[Part]:
        where = f"{self._files[0]}: user {user.name}: item {item}"
        if item not in self._titles:
            raise UsageError(f"{where}: has no title in {self._files[1]}; every candidate needs one")
        text = Text(f"{mark}{self._titles[item]}\n")
        if not self.covers:
            return [text]
        if item not in self._covers:
            raise UsageError(f"{where}: has no cover in {self.dataset}_covers; download it, or set covers=false")
        return [text, Image(self._published.path(self._covers[item]))]

    @property
    def count(self) -> int:
        """Number of questions."""
        return sum(1 + len(user.others) for user in self._users)

    @property
    def card(self) -> Card:
        """Identity and terms; images count by their names alone."""
        return Card(
            name="mllm_msr",
            revision=self._published.described,
            content=self._published.content(list(self._files)),
            languages=(LANGUAGE,),
            licence="none given; see MicroLens and Amazon Reviews 2023 for the data",
            source="https://github.com/YuyangYe/MLLM-MSR",
            citation="Ye et al. 2025, Harnessing Multimodal Large Language Models for Multimodal Sequential "
            "Recommendation (AAAI 39(12))",
        )
