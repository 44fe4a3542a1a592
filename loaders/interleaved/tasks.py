"""Questions about documents that need no labels: a document's own images, order and words are the right ones.

All tasks read the pages of one language in their order. What is chosen by chance depends on the seed and on the id of
the document alone, and other documents that a question borrows from are neighbours, so that nothing but a few dozen
pages is held. A page that a task cannot use is passed over.
"""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import TYPE_CHECKING, Literal

from mmbench.media import content_hash
from mmbench.schema import Image, Part, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from loaders.interleaved.documents import Page

Task = Literal["bits", "order", "next_image", "association", "cloze"]
"""How well the text is predicted with the document's images; which order of the images, which image at a place, which
paragraph of an image, and which continuation is the document's own."""

BLOCK = 16
"""Pages that distractors are borrowed from: the page's own block of this many, or up to twice as many at the end."""
_TRIES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of the tasks.

    Args:
        seed: of what is chosen by chance.
        options: how many images, paragraphs or continuations there are to choose from.
        longest: characters that a choice is cut to, at a space where there is one.
        shortest: characters that a text needs to be a choice.
        before: nodes of the document before the place that is asked about.
    """

    seed: int = 0
    options: int = 4
    longest: int = 200
    shortest: int = 20
    before: int = 8


def bits(pages: Iterable[Page], options: Options) -> Iterator[Sample]:
    """Each document as it is, without images ("none"), and with those of a neighbour ("shuffled").

    Neighbours with images swap them two by two; the last of an odd number takes those of the one before. They are cut
    or repeated to the number that is needed, without those that the document has too. Images after the last text are
    left out: no text can depend on them.
    """
    last: Page | None = None
    held: list[Page] = []  # one with images that waits for its neighbour, and those without since
    for page in map(read_part, pages):
        held.append(page)
        if page.images and held[0] is not page:
            for each in held:
                yield _swapped(each, held[0] if each is page else page)
            last, held = page, []
        elif not held[0].images:
            yield _swapped(held.pop(), None)
    for page in held:
        yield _swapped(page, last)


def _swapped(page: Page, other: Page | None) -> Sample:
    if not page.images:
        return _sample(page, {})
    variants: dict[str, tuple[Part, ...]] = {}
    variants["none"] = tuple(part for part in page.parts if not isinstance(part, Image))
    own, theirs = _contents(page.images), () if other is None else other.images
    if foreign := [image for image, content in zip(theirs, _contents(theirs), strict=True) if content not in own]:
        variants["shuffled"] = with_images(page.parts, islice(cycle(foreign), len(page.images)))
    return _sample(page, variants)


def order(pages: Iterable[Page], options: Options) -> Iterator[Sample]:
    """Each document with two different images or more, and with its images at each other's places ("permuted").

    As many places as can be get another image.
    """
    for page in map(read_part, pages):
        images, contents = page.images, _contents(page.images)
        if len(set(contents)) < 2:
            continue
        chance = _chance(options, page)
        places = list(range(len(images)))
        best: tuple[int, list[int]] = (0, places)
        for _ in range(_TRIES):
            tried = chance.sample(places, len(places))
            moved = sum(contents[a] != contents[b] for a, b in zip(places, tried, strict=True))
            best = max(best, (moved, tried), key=lambda each: each[0])
            if moved == len(places):
                break
        if not best[0]:  # one image among many copies of another
            first = next(place for place in places if contents[place] != contents[0])
            best[1][0], best[1][first] = first, 0
        permuted = with_images(page.parts, [images[place] for place in best[1]])
        yield _sample(page, {"permuted": permuted}, candidates=2)


def next_image(pages: Iterable[Page], options: Options) -> Iterator[Sample]:
    """Which image stands before a text: the document's own or those of other documents ("candidate 1" ...).

    One place of each document is asked about. Only the text after it is scored, what stands before is given.
    """
    for block in _blocks(pages):
        contents = [_contents(page.images) for page in block]
        found = {
            content: image
            for page, own in zip(block, contents, strict=True)
            for content, image in zip(own, page.images, strict=True)
        }
        for page, own in zip(block, contents, strict=True):
            chance = _chance(options, page)
            places = [at for at, _ in _image_then_text(page.parts)]
            candidates = [image for content, image in sorted(found.items()) if content not in own]
            if places and len(candidates) >= options.options - 1:
                shown = chance.sample(candidates, options.options - 1)
                yield _candidates(page, chance.choice(places), shown, options)


def _candidates(page: Page, at: int, images: Sequence[Image], options: Options) -> Sample:
    """The question which image stands at a place of a page."""
    given = tuple(_given(part) for part in page.parts[max(0, at - options.before) : at])
    after = page.parts[at + 1]
    variants = {f"candidate {n}": (*given, image, after) for n, image in enumerate(images, 1)}
    asked = replace(page, parts=(*given, page.parts[at], after))
    return _sample(asked, variants, candidates=1 + len(images))


def association(pages: Iterable[Page], options: Options) -> Iterator[Sample]:
    """Which of a document's paragraphs an image belongs to: the text right after it, else the one right before.

    One image of each document is asked about, none that it has twice. The other neighbour of the image is no choice,
    because it may be right; the others are those that are nearest to the right one in length.
    """
    for page in pages:
        chance, copies = _chance(options, page), Counter(_contents(page.images))
        once = {at for at, part in enumerate(page.parts) if isinstance(part, Image) and copies[content_hash(part)] == 1}
        before = {at + 1: text for at, text in _text_then_image(page.parts) if at + 1 in once}
        after = {at: text for at, text in _image_then_text(page.parts) if at in once}
        usable = [(at, own) for at, text in (after or before).items() for own in _cuts((text,), options)]
        if not usable:
            continue
        at, right = chance.choice(usable)
        near = {right, *_cuts((before.get(at, ""),), options)}
        texts = [text for text in dict.fromkeys(_cuts(page.texts, options)) if text not in near]
        if len(texts) >= options.options - 1:
            yield _choice(
                replace(page, parts=(page.parts[at],)), right, _nearest(texts, right, options, chance), chance
            )


def cloze(pages: Iterable[Page], options: Options) -> Iterator[Sample]:
    """How a document goes on: its own next text, or texts of other documents that are nearest to it in length.

    The prefix has an image, and the text that is asked about is one of the document's own chosen by chance.
    """
    for block in _blocks(pages):
        texts = [set(_cuts(page.texts, options)) for page in block]
        every = sorted(set().union(*texts))
        for page, own in zip(block, texts, strict=True):
            chance = _chance(options, page)
            targets = list(_after_an_image(page.parts, options))
            others = [text for text in every if text not in own]
            if targets and len(others) >= options.options - 1:
                at, right = chance.choice(targets)
                before = page.parts[max(0, at - options.before) : at]
                yield _choice(replace(page, parts=before), right, _nearest(others, right, options, chance), chance)


def _nearest(texts: Sequence[str], right: str, options: Options, chance: random.Random) -> list[str]:
    """Wrong choices: the texts that are nearest to the right one in length, so that it is not told by its length."""
    mixed = chance.sample(texts, len(texts))  # so that of texts of one length none is picked more often
    return sorted(mixed, key=lambda text: abs(len(text) - len(right)))[: options.options - 1]


def _after_an_image(parts: Sequence[Part], options: Options) -> Iterator[tuple[int, str]]:
    """Where texts stand that can be choices and have an image not far before them, and the texts."""
    for at, part in enumerate(parts):
        near = parts[max(0, at - options.before) : at]
        if isinstance(part, Text) and not part.instruction and any(isinstance(each, Image) for each in near):
            for words in _cuts((part.text,), options):
                yield at, words


TASKS: Mapping[Task, Callable[[Iterable[Page], Options], Iterator[Sample]]] = {
    "bits": bits,
    "order": order,
    "next_image": next_image,
    "association": association,
    "cloze": cloze,
}
"""The function of each task: from the pages of one language to samples."""


def read_part(page: Page) -> Page:
    """The page without what stands after its last text, which no text depends on."""
    texts = [at for at, part in enumerate(page.parts) if isinstance(part, Text) and not part.instruction]
    return replace(page, parts=page.parts[: max(texts, default=-1) + 1])


def with_images(parts: Sequence[Part], images: Iterable[Image]) -> tuple[Part, ...]:
    """The parts with other images in the places of theirs, in order; there must be as many."""
    new = iter(images)
    return tuple(next(new) if isinstance(part, Image) else part for part in parts)


def _contents(images: Sequence[Image]) -> tuple[str, ...]:
    return tuple(content_hash(image) for image in images)


def _chance(options: Options, page: Page) -> random.Random:
    return random.Random(f"{options.seed} {page.id}")


def _given(part: Part) -> Part:
    """The part as something that is read and not scored."""
    return replace(part, instruction=True) if isinstance(part, Text) else part


def _pairs_of(parts: Sequence[Part]) -> Iterator[tuple[int, Part, Part]]:
    yield from zip(range(len(parts)), parts, parts[1:], strict=False)


def _image_then_text(parts: Sequence[Part]) -> list[tuple[int, str]]:
    """Where an image stands right before a text, and the text."""
    return [
        (at, text.text)
        for at, image, text in _pairs_of(parts)
        if isinstance(image, Image) and isinstance(text, Text) and not text.instruction
    ]


def _text_then_image(parts: Sequence[Part]) -> list[tuple[int, str]]:
    """Where a text stands right before an image, and the text."""
    return [
        (at, text.text)
        for at, text, image in _pairs_of(parts)
        if isinstance(image, Image) and isinstance(text, Text) and not text.instruction
    ]


def _cuts(texts: Iterable[str], options: Options) -> Iterator[str]:
    """Texts as choices: on one line, not too short, cut where they are too long."""
    for text in texts:
        words = _cut(" ".join(text.split()), options.longest)
        if len(words) >= options.shortest:
            yield words


def _cut(words: str, longest: int) -> str:
    """The beginning of a text, at a space where there is one in its second half, and never before a combining mark."""
    if len(words) <= longest:
        return words
    end = words.rfind(" ", longest // 2, longest + 1)
    if end < 0:
        end = longest
        while end and unicodedata.category(words[end]).startswith("M"):
            end -= 1
    return words[:end].rstrip()


def _blocks(pages: Iterable[Page]) -> Iterator[list[Page]]:
    """Pages in blocks; a short last block is one with that before it."""
    before: list[Page] = []
    block: list[Page] = []
    for page in pages:
        block.append(page)
        if len(block) == BLOCK:
            if before:
                yield before
            before, block = block, []
    if before or block:
        yield before + block


def _sample(page: Page, variants: Mapping[str, tuple[Part, ...]], candidates: int | None = None) -> Sample:
    group = {**page.group, **({} if candidates is None else {"candidates": str(candidates)})}
    return Sample(id=page.id, language=page.language, parts=page.parts, variants=variants, group=group)


def _choice(page: Page, right: str, wrong: Sequence[str], chance: random.Random) -> Sample:
    choices = [right, *wrong]
    chance.shuffle(choices)
    return replace(_sample(page, {}), choices=tuple(choices), answer=choices.index(right))
