"""What is asked about documents: who is the true one, who is not, and that nothing else differs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from loaders.fixtures._pictures import drawing
from loaders.interleaved.documents import Page
from loaders.interleaved.tasks import BLOCK, TASKS, Options, Task, association, bits, cloze, next_image, order
from mmbench.schema import Image, Part, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = "a text that is long enough to be a choice, number"


def page(number: int, shape: str, *, images: str = "") -> Page:
    """`shape` has t and i; `images` the names of the images, one letter each, else all differ."""
    names = iter(images or [f"{number}-{at}" for at in range(len(shape))])
    parts: list[Part] = [
        Text(f"{LONG} {number}-{at}") if kind == "t" else Image(drawing(next(names), width=8, height=8))
        for at, kind in enumerate(shape)
    ]
    return Page(id=f"{number}/eng_Latn", language="eng_Latn", parts=tuple(parts), group={"document": str(number)})


def pages(count: int, shape: str = "titititt") -> list[Page]:
    return [page(number, shape) for number in range(count)]


def texts(parts: tuple[Part, ...]) -> list[Part]:
    return [part for part in parts if isinstance(part, Text)]


def images(parts: tuple[Part, ...]) -> list[Part]:
    return [part for part in parts if isinstance(part, Image)]


def test_bits_swap_images_between_neighbours() -> None:
    documents = [page(0, "itit"), page(1, "tt"), page(2, "ititit"), page(3, "tit"), page(4, "it"), page(5, "itt")]
    samples = list(bits(documents, Options()))
    assert [sample.id for sample in samples] == [document.id for document in documents]
    zero, one, two, three, four, five = samples
    assert zero.parts == documents[0].parts
    assert list(zero.variants["none"]) == texts(zero.parts)
    assert images(zero.variants["shuffled"]) == images(two.parts)[:2], "cut"
    assert images(two.variants["shuffled"]) == [*images(zero.parts), images(zero.parts)[0]], "repeated"
    assert not one.variants, "it has no images to take away"
    assert images(three.variants["shuffled"]) == images(four.parts)
    assert images(five.variants["shuffled"]) == images(four.parts), "the last one takes from the one before"
    for sample in samples:
        for parts in sample.variants.values():
            assert texts(parts) == texts(sample.parts), "the text is the same"
        if "shuffled" in sample.variants:
            assert [type(p) for p in sample.variants["shuffled"]] == [type(p) for p in sample.parts]


def test_bits_of_one_document_and_of_equal_images() -> None:
    (alone,) = bits([page(0, "it")], Options())
    assert set(alone.variants) == {"none"}, "nobody has other images"
    same = list(bits([page(0, "it", images="a"), page(1, "itit", images="aa")], Options()))
    assert [set(sample.variants) for sample in same] == [{"none"}, {"none"}], "the same image is no other one"


def test_images_after_the_last_text_are_left_out() -> None:
    (sample,) = bits([page(0, "itii")], Options())
    assert sample.parts == page(0, "it").parts
    assert not list(order([page(0, "itiii")], Options())), "no text depends on their order"


@pytest.mark.parametrize("names", ["ab", "abc", "aab", "aaaaaaab", "abab", "abcdefgh"])
def test_permuted_images_are_elsewhere(names: str) -> None:
    document = page(0, "i" * len(names) + "t", images=names)
    for seed in range(20):
        (sample,) = order([document], Options(seed=seed))
        before, after = images(sample.parts), images(sample.variants["permuted"])
        assert Counter(map(repr, before)) == Counter(map(repr, after))
        moved = sum(a != b for a, b in zip(before, after, strict=True))
        most = max(Counter(names).values())
        assert moved >= (len(names) if most == 1 else min(2, len(names))), "all that can move do"
        assert sample.group["candidates"] == "2"
    assert not list(order([page(0, "itit", images="aa")], Options())), "the same image twice has no order"


def test_next_image_has_the_true_one_and_others() -> None:
    documents = pages(20)
    samples = list(next_image(documents, Options(before=3)))
    assert len(samples) == 20
    for document, sample in zip(documents, samples, strict=True):
        *given, own, after = sample.parts
        at = document.parts.index(own)
        assert document.parts[at + 1] == after
        assert isinstance(after, Text)
        assert not after.instruction
        assert len(given) == min(3, at), "only what stands right before"
        assert all(part.instruction for part in given if isinstance(part, Text)), "read, not scored"
        assert set(sample.variants) == {"candidate 1", "candidate 2", "candidate 3"}
        shown = [own]
        for parts in sample.variants.values():
            assert (*parts[:-2], parts[-1]) == (*given, after)
            shown.append(parts[-2])
        assert len({repr(image) for image in shown}) == 4
        assert not {repr(image) for image in shown[1:]} & {repr(image) for image in images(document.parts)}
        assert sample.group["candidates"] == "4"
    assert len({sample.parts.index(images(sample.parts)[-1]) for sample in samples}) > 1, "not always the same place"


def test_candidates_are_never_the_documents_own_images() -> None:
    logo = [page(number, "tit", images="a") for number in range(8)]
    assert not list(next_image(logo, Options())), "one logo on all pages is no question"
    assert not list(next_image(pages(1), Options())), "nobody to borrow from"


def test_association() -> None:
    samples = list(association(pages(8), Options()))
    assert len(samples) == 8
    for document, sample in zip(pages(8), samples, strict=True):
        (image,) = sample.parts
        at = document.parts.index(image)
        after, before = document.parts[at + 1], document.parts[at - 1]
        assert isinstance(after, Text)
        assert isinstance(before, Text)
        assert sample.answer is not None
        assert sample.choices[sample.answer] == after.text
        assert len(set(sample.choices)) == 4
        assert before.text not in sample.choices, "it may be right as well"
        assert set(sample.choices) <= {text.text for text in document.parts if isinstance(text, Text)}
    assert len({sample.answer for sample in samples}) > 1
    (behind,) = association([page(0, "ttttti")], Options())
    assert behind.choices[behind.answer or 0].endswith("0-4"), "the text before, where none comes after"
    assert not list(association([page(0, "ittt")], Options())), "too few paragraphs"


def test_cloze() -> None:
    documents = [page(number, "tit" + "t" * (number % 4)) for number in range(9)]
    samples = list(cloze(documents, Options()))
    assert len(samples) == 9
    for document, sample in zip(documents, samples, strict=True):
        assert sample.answer is not None
        assert images(sample.parts), "there is an image to go by"
        following = document.parts[len(sample.parts)]
        assert isinstance(following, Text)
        assert sample.choices[sample.answer] == following.text
        own = {text.text for text in document.parts if isinstance(text, Text)}
        assert not own & {c for n, c in enumerate(sample.choices) if n != sample.answer}
        assert len(set(sample.choices)) == 4


def test_distractors_are_of_about_the_same_length() -> None:
    def long(number: int, words: int) -> Page:
        return Page(
            id=str(number), language="eng_Latn", parts=(page(number, "i").parts[0], Text(f"w{number} " * words))
        )

    samples = list(cloze([long(number, number + 10) for number in range(12)], Options()))
    lengths = [len(choice) for choice in samples[5].choices]
    assert max(lengths) - min(lengths) <= 12


def test_choices_are_cut() -> None:
    spaced, unspaced, marks = "word " * 100, "字" * 300, "e\u0301" * 200
    document = [Text(spaced), Text(unspaced), Text(marks), Text("short"), Text("\n two \n\n lines of it, long enough")]
    pictured = Page(id="1", language="eng_Latn", parts=(*document, *page(0, "it").parts))
    (sample,) = association([pictured], Options(longest=51, options=4, shortest=3, seed=3))
    shown = set(sample.choices)
    cuts = {" ".join(["word"] * 10), "字" * 51, "e\u0301" * 25, "short", "two lines of it, long enough"}
    assert len(shown & cuts) == 3
    assert max(map(len, shown)) <= 51


@pytest.mark.parametrize("task", TASKS)
def test_chance_depends_on_the_document_and_the_seed_alone(task: Task) -> None:
    documents = pages(3 * BLOCK)
    whole = list(TASKS[task](documents, Options()))
    assert whole == list(TASKS[task](documents, Options()))
    assert whole[:BLOCK] == list(TASKS[task](documents[: 2 * BLOCK], Options()))[:BLOCK], (
        "later documents change nothing"
    )
    if task != "bits":
        assert whole != list(TASKS[task](documents, Options(seed=1)))


@pytest.mark.parametrize("task", TASKS)
def test_few_documents_are_held(task: Task) -> None:
    taken = 0

    def endless() -> Iterator[Page]:
        nonlocal taken
        while True:
            yield page(taken, "titititt")
            taken += 1

    assert next(TASKS[task](endless(), Options())).id == "0/eng_Latn"
    assert taken <= 2 * BLOCK


@pytest.mark.parametrize("task", TASKS)
def test_a_short_last_block_borrows_from_the_one_before(task: Task) -> None:
    assert len(list(TASKS[task](pages(BLOCK + 1), Options()))) == BLOCK + 1


def test_shuffled_images_are_none_of_the_documents_own() -> None:
    """Neighbours are often of one site: its logo is in both, and would stand where it stood."""
    first, _ = bits([page(0, "itit", images="ab"), page(1, "ititit", images="acd")], Options())
    assert images(first.variants["shuffled"]) == images(
        page(1, "it", images="c").parts + page(1, "it", images="d").parts
    )


def test_the_text_of_an_image_is_not_told_by_its_length() -> None:
    sizes = [60, 62, 64, 66, 120, 130, 140, 150, 160, 170]
    caption, *others = (Text(f"{number:03} " + "x" * size) for number, size in enumerate(sizes))
    picture = page(0, "i").parts[0]
    for seed in range(10):
        (sample,) = association(
            [Page(id="1", language="eng_Latn", parts=(picture, caption, *others))], Options(seed=seed)
        )
        assert set(map(len, sample.choices)) == {64, 66, 68, 70}


def test_an_image_that_is_there_twice_is_not_asked_about() -> None:
    """The text beside its other copy would be a wrong choice, and is as right."""
    for seed in range(10):
        (sample,) = association([page(0, "itititttt", images="aba")], Options(seed=seed))
        assert images(sample.parts) == images(page(0, "i", images="b").parts)
    assert not list(association([page(0, "itititttt", images="aaa")], Options()))
