from __future__ import annotations

import re

import pytest

from loaders.illustrated import MAX_LIST, illustrated, keys, literal, options, right
from mmbench.errors import UsageError
from mmbench.schema import Image, Text

MARK = re.compile(r"<image\s*(\d+)>")


def images(*numbers: int) -> dict[str, Image]:
    return {str(number): Image(f"picture {number}".encode()) for number in numbers}


def told(parts: object) -> list[str]:
    """Texts as they are, pictures by their bytes."""
    assert isinstance(parts, tuple)
    return [part.text if isinstance(part, Text) else bytes(part.source).decode() for part in parts]


def test_options_are_a_list_or_its_text() -> None:
    assert options("['$6', \"Painter's\", ' 7 ']", "row") == ("$6", "Painter's", "7")
    assert options(["a", "b"], "row") == ("a", "b")
    assert options("[1, 2.5]", "row") == ("1", "2.5")
    assert options("[]", "row") == ()


def test_a_list_in_a_list_of_one_is_that_list() -> None:
    """validation_Accounting_29 of MMMU-Pro, whose right answer B is none of one option."""
    choices = options("[['A', 'B', 'Not enough information']]", "row")
    assert choices == ("A", "B", "Not enough information") and right("B", choices, "row") == 1


@pytest.mark.parametrize(
    "text", ["__import__('os').system('true')", "A, B", "['a'", "{'a': 1}", "(" * 5000, "7", "", "[" * 100 + "]" * 100]
)
def test_what_is_no_list_is_refused_and_not_executed(text: str) -> None:
    with pytest.raises(UsageError, match=r"row 3: .*(is not the text of a list|is neither text nor number)"):
        options(text, "row 3")
    with pytest.raises(UsageError, match="is not the text of a list"):
        literal("['" + "a" * MAX_LIST + "']", "row 3")


def test_letters() -> None:
    assert [right(letter, "abcd", "row") for letter in ("A", " d ", "b")] == [0, 3, 1]
    for wrong in ("E", "", "AB", "1", "?", None):
        with pytest.raises(UsageError, match=r"row: the answer .* is none of its 4 options"):
            right(wrong, "abcd", "row")


def test_keys_stand_in_the_order_of_the_text() -> None:
    assert keys(["<image 3> and <image 12>", "<image1>"], MARK) == {
        "3": "<image 3>",
        "12": "<image 12>",
        "1": "<image1>",
    }


def test_pictures_stand_where_their_marks_stand() -> None:
    parts = illustrated("First <image 2>, then <image 1>.", ["a", "b"], MARK, images(1, 2), "row")
    assert told(parts) == ["First ", "picture 2", ", then ", "picture 1", "."]


def test_two_digits_are_one_number() -> None:
    parts = illustrated("See <image 12> and <image 1>", [], MARK, images(1, 2, 12), "row")
    assert told(parts) == ["picture 2", "See ", "picture 12", " and ", "picture 1"]


def test_pictures_of_options_stand_after_the_question_with_their_marks() -> None:
    """MMMU issue 70: options were shuffled, so that the order of pictures is not that of their numbers."""
    choices = ("<image 3>", "<image 1>", "None", "<image 2>")
    parts = illustrated("Which has the colours of <image 4>?", choices, MARK, images(1, 2, 3, 4), "row")
    assert told(parts) == [
        *("Which has the colours of ", "picture 4", "?"),
        *("\n<image 3>: ", "picture 3", "\n<image 1>: ", "picture 1", "\n<image 2>: ", "picture 2"),
    ]


def test_a_picture_in_question_and_option_is_shown_once_with_its_mark() -> None:
    """test_Geography_252 of MMMU-Pro would show fourteen pictures where it has seven."""
    parts = illustrated("<image 1> or <image 2>", ["<image 1>", "<image 1> turned"], MARK, images(1, 2), "row")
    assert told(parts) == ["<image 1>: ", "picture 1", " or ", "picture 2"]


def test_a_picture_that_nothing_names_comes_first() -> None:
    assert told(illustrated("What is it?", ["a"], MARK, images(2, 10), "row")) == [
        "picture 2",
        "picture 10",
        "What is it?",
    ]


def test_a_mark_without_picture() -> None:
    for question, option in (("<image 3>", "a"), ("a", "<image 3>")):
        with pytest.raises(UsageError, match=r"row 7: <image 3> has no image; it has 1, 2"):
            illustrated(question, [option], MARK, images(1, 2), "row 7")
