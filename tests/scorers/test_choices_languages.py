"""Option letters of many scripts and announcements in many languages, and the two files that they are read from."""

from __future__ import annotations

import unicodedata
from importlib import resources

import pytest

from mmbench.languages import tag
from mmbench.scorers.choices import parse

ANIMALS = ("a dog", "a red car", "a cat", "a bird")
FIVE = (*ANIMALS, "a fish")


def rows(name: str) -> list[dict[str, str]]:
    text = resources.files("mmbench.scorers.choices").joinpath(name).read_text(encoding="utf-8")
    header, *lines = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return [dict(zip(header, line, strict=True)) for line in lines]


@pytest.mark.parametrize("row", rows("phrases.tsv"), ids=lambda row: row["language"])
def test_every_announcement(row):
    assert tag(row["language"]) == row["language"]
    for item in row["answer"].split("|"):
        stem = item.strip("!*")
        assert parse(f"{stem}: B", ANIMALS) == 1, item
        assert parse(f"{stem.upper()}: **C**", ANIMALS) == 2, item
        assert parse(unicodedata.normalize("NFD", f"{stem}: B"), ANIMALS) == 1, item
        if item.startswith("!"):
            assert parse(f"{stem} B", ANIMALS) == 1, item
    first = row["answer"].split("|")[0].strip("!*")
    for join in filter(None, row["join"].split("|")):
        assert parse(f"{first}: B {join} C", ANIMALS) is None, join
    for suffix in filter(None, row["suffix"].split("|")):
        assert parse(f"{first}: B'{suffix.strip('*')}", ANIMALS) == 1, suffix
    for question in filter(None, row["question"].split("|")):
        assert parse(f"B\n{question}: x?\n{first}: C", ANIMALS) == 1, question


@pytest.mark.parametrize("row", rows("labels.tsv"), ids=lambda row: row["script"] + row["options"][0])
def test_every_letter(row):
    other = ("Cyrl", "Arab", "Deva").count(row["script"]) and row["options"].split()[2][0] not in "Вجग"
    for index, letters in enumerate(row["options"].split()[:4]):
        for letter in letters:
            ranges = [[int(code, 16) for code in span.split("-")] for span in row["ranges"].split()]
            written = unicodedata.normalize("NFKC", letter)
            assert any(span[0] <= ord(written) <= span[-1] for span in ranges)
            if not other:
                for text in (letter, f"({letter})", f"{letter})", f"{letter}. {ANIMALS[index]}", f"Answer: {letter}"):
                    assert parse(text, ANIMALS) == index, text
                assert parse(f"{letter}{letter}", ANIMALS) is None
            assert parse(f"{letter}) {ANIMALS[index]}", ANIMALS) == index


@pytest.mark.parametrize(
    ("text", "index"),
    [  # VLMEvalKit reads none of the first row
        *(
            ("答案是B", 1),
            ("正确答案：B。", 1),
            ("选B", 1),
            ("答えはBです", 1),
            ("정답은 B입니다", 1),
            ("(ب)", 1),
            ("Ответ: Б", 1),
        ),
        *(
            ("答案：Ｂ", 1),
            ("故选B", 1),
            ("正確答案是C", 2),
            ("答案为C选项", 2),
            ("选项B正确", 1),
            ("B是正确答案", 1),
            ("答案是乙", 1),
        ),
        *(
            ("不选B", None),
            ("答案是B或C", None),
            ("答案是BC", None),
            ("不正确的选项是C", None),
            ("【B】", 1),
            ("「B」", 1),
        ),
        *(
            ("正解はC", 2),
            ("解答：ウ", 2),
            ("答えは「C」です。", 2),
            ("Bだと思います", 1),
            ("답: 나", 1),
            ("답은 C번입니다", 2),
            ("ㄴ", 1),
        ),
        *(
            ("Правильный ответ — Г", 3),
            ("Ответ: Б или В", None),
            ("Неправильный ответ: А", None),
            ("Верният отговор е Б", 1),
        ),
        *(("Cevap A", 0), ("Doğru cevap A'dır.", 0), ("Düzgün cavab B-dir", 1), ("To‘g‘ri javob B variant.", 1)),
        *(("C javob to'g'ri.", 2), ("C javob noto'g'ri.", None), ("Дұрыс жауап - C", 2), ("Җавап: **C) a cat**", 2)),
        *(
            ("توغرا جاۋاب D.", 3),
            ("C بىلەن B", None),
            ("La respuesta correcta es la B.", 1),
            ("La bonne réponse est la C", 2),
        ),
        *(("A resposta correta é a B", 1), ("La risposta corretta è la B", 1), ("Die richtige Antwort lautet (B).", 1)),
        *(("A helyes válasz a C", 2), ("Prawidłowa odpowiedź to C", 2), ("Η σωστή απάντηση είναι η Γ.", 2)),
        *(("الإجابة الصحيحة هي ج", 2), ("الاجابه الصحيحه هي (د)", 3), ("پاسخ صحیح گزینه ج است", 2), ("الف", 0)),
        *(
            ("درست جواب: B ہے", 1),
            ("התשובה הנכונה היא ג", 2),
            ("सही उत्तर (ख) है", 1),
            ("उत्तर: ब", 1),
            ("সঠিক উত্তর হলো B।", 1),
        ),
        *(("சரியான பதில் B ஆகும்", 1), ("คำตอบที่ถูกต้องคือ ข้อ B", 1), ("ตอบ ข้อ ค.", 2), ("ຄຳຕອບແມ່ນ B", 1), ("ចម្លើយគឺ B", 1)),
        *(("အဖြေမှာ B", 1), ("Đáp án đúng là C.", 2), ("Jawaban yang benar adalah B.", 1), ("Jibu sahihi ni C", 2)),
        *(("Idahun ni B", 1), ("Ang tamang sagot ay B", 1), ("መልሱ ለ ነው", 1), ("Պատասխան՝ B", 1), ("პასუხი: ბ", 1)),
    ],
)
def test_answers(text, index):
    assert parse(text, ANIMALS) == index


@pytest.mark.parametrize(
    "text",
    [
        "Ответ: В этом случае нет",
        "A resposta é A casa",
        "A válasz A kutya",
        "La risposta è I cani",
        "Odpowiedź: W tym przypadku",
        "정답은 나무",
        "答案是乙醇",
        "คำตอบคือ ขวด",
        "उत्तर: किताब",
        "الإجابة: باب",
        "Cevap: Ankara",
    ],
)
def test_words_are_no_letters(text):
    assert parse(text, ANIMALS) is None


@pytest.mark.parametrize(
    ("text", "choices", "index"),
    [
        ("В", ANIMALS, 2),
        ("В) a red car", ANIMALS, 1),
        ("С", ANIMALS, 2),
        ("Д", ANIMALS, 3),
        ("Д", FIVE, 4),
        ("Д) a bird", FIVE, 3),
        ("Г", ANIMALS, 3),
        ("Е", FIVE, 4),
        ("В", ("да", "нет"), 1),
        ("ج", ANIMALS, 2),
        ("ت", ANIMALS, 2),
        ("س", ANIMALS, 2),
        ("ग", ANIMALS, 2),
        ("स", ANIMALS, 2),
        ("क", ANIMALS, 0),
        ("क) a cat", ANIMALS, 2),
        ("가", ("가", "나"), 0),
        ("나", ("나", "가"), 0),
    ],
)
def test_letters_that_look_alike(text, choices, index):
    """TUMLU's outputs: Cyrillic letters stand for the prompt's Latin ones, but a V is third, not a B."""
    assert parse(text, choices) == index


def test_latin_letters_and_words_in_other_texts():
    assert parse("답은 나무이므로 B", ANIMALS) is None
    assert parse("Жауабы: C) a cat, себебі бұл мысық.", ANIMALS) == 2
    assert parse("因为它是红色的，所以选择(B)。", ANIMALS) == 1
