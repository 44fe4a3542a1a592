"""Questions with answers of every kind that a scorer of conf/scorer may meet, and a perfect one for each of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st

from mmbench.config import load, names
from mmbench.errors import UsageError
from mmbench.records import Record
from mmbench.schema import Audio, Failure, Output, Prediction, Sample, Step
from tests.scorers import image_cases

if TYPE_CHECKING:
    from collections.abc import Callable

    from mmbench.schema import Scorer

Pair = tuple[Sample, Output | None]
Question = list[Pair]
"""Samples that are one question: one, but for rotations and for pairs of a judge."""

WORDS = {
    "eng_Latn": ("the cat sat on a mat 5 3.5 -5 café yes no".split(), " "),
    "hin_Deva": ("लड़का स्कूल जाता है पानी की कि".split(), " "),
    "tha_Thai": ("วันนี้ อากาศ ดี ไม้ ไม คน".split(), ""),
    "zho_Hans": ("今 天 我 们 去 北 京".split(), ""),
}
LABELS = ("travel", "politics", "sports", "health")
MANY = tuple(f"candidate {letter}" for letter in "abcdefghijklm")


def sentence(language: str, least: int = 0) -> st.SearchStrategy[str]:
    words, between = WORDS[language]
    return st.lists(st.sampled_from(words), min_size=least, max_size=6).map(between.join)


def heard(name: str, language: str, references: tuple[str, ...], text: str | None) -> Pair:
    parts = (Audio(b"", transcript=references[0] if references else ""),)
    asked = Sample(id=name, language=language, parts=parts, references=references)
    return asked, None if text is None else Output(text=text, steps=(Step("asr", 0, text), Step("ocr", 0, text)))


def text_question(name: str, draw: Any) -> Question:
    language = draw(st.sampled_from(sorted(WORDS)))
    references = draw(st.lists(sentence(language), max_size=2).map(tuple))
    text = draw(st.none() | st.just("") | sentence(language) | st.sampled_from(references or ("",)))
    return [heard(name, language, references, text)]


def text_perfect(name: str, draw: Any) -> Question:
    language = draw(st.sampled_from(sorted(WORDS)))
    text = draw(sentence(language, 1))
    return [heard(name, language, (text,), text)]


SOUND = [heard("sound", "eng_Latn", ("the cat sat on a mat",), "the cat sat on the mat")]
"""An answer with n-grams of all orders, which chrF needs."""


def weighty(name: str, draw: Any) -> Question:
    """Words that are in no other sample, so that CIDEr's weights are above zero for n-grams of each order."""
    text = " ".join(draw(st.permutations(["zebra", "yak", "wolf", "vole", "urial"])))
    return [heard(name, "eng_Latn", (text,), text)]


def scored(draw: Any, count: int) -> Output:
    scores = draw(st.lists(st.integers(-4, 0).map(float), min_size=count, max_size=count))
    priors = draw(st.lists(st.integers(-4, 0).map(float), min_size=count, max_size=count))
    lengths = draw(st.lists(st.integers(1, 3), min_size=count, max_size=count))
    return Output(text="", choice_scores=tuple(scores), prior_scores=tuple(priors), choice_lengths=tuple(lengths))


def chosen(text: str, right: int, count: int) -> Output:
    scores = tuple(0.0 if index == right else -9.0 for index in range(count))
    return Output(text=text, choice_scores=scores, prior_scores=(0.0,) * count, choice_lengths=(1,) * count)


def choice_question(name: str, draw: Any) -> Question:
    answer = draw(st.none() | st.integers(0, 3))
    asked = Sample(id=name, language=draw(st.sampled_from(["eng_Latn", "swh_Latn"])), choices=LABELS, answer=answer)
    said = st.sampled_from([*LABELS, "", "who knows"]).map(lambda text: Output(text=text))
    kind = draw(st.sampled_from(["failed", "text", "scores"]))
    return [(asked, None if kind == "failed" else draw(said) if kind == "text" else scored(draw, 4))]


def likelihood_question(name: str, draw: Any) -> Question:
    """One whose answer is never read from text, for metrics that compare likelihoods alone."""
    ((asked, _),) = choice_question(name, draw)
    return [(asked, None if draw(st.booleans()) else scored(draw, 4))]


def choice_perfect(name: str, draw: Any) -> Question:
    right = draw(st.integers(0, 3))
    asked = Sample(id=name, language="eng_Latn", choices=LABELS, answer=right)
    return [(asked, chosen(LABELS[right], right, 4))]


def ranked_question(name: str, draw: Any) -> Question:
    also = draw(st.lists(st.sampled_from(MANY), max_size=2).map(tuple))
    answer = draw(st.none() | st.integers(0, 12))
    asked = Sample(id=name, language="eng_Latn", choices=MANY, answer=answer, references=also)
    return [(asked, None if draw(st.booleans()) else scored(draw, len(MANY)))]


def ranked_perfect(name: str, draw: Any) -> Question:
    right = draw(st.integers(0, 12))
    return [(Sample(id=name, language="eng_Latn", choices=MANY, answer=right), chosen("", right, len(MANY)))]


def rotations(name: str, outputs: list[Output | None]) -> Question:
    found = []
    for shift, output in enumerate(outputs):
        choices = LABELS[shift:] + LABELS[:shift]
        group = {"circular": name}
        right = choices.index(LABELS[0])
        sample = Sample(id=f"{name}#{shift}", language="eng_Latn", choices=choices, answer=right, group=group)
        found.append((sample, output))
    return found


def circular_question(name: str, draw: Any) -> Question:
    said = st.sampled_from([LABELS[0]] * 8 + [LABELS[1], "who knows"]).map(lambda text: Output(text=text))
    return rotations(name, draw(st.lists(st.none() | said | said, min_size=1, max_size=4)))


def circular_perfect(name: str, draw: Any) -> Question:
    return rotations(name, [Output(text=LABELS[0])] * 4)


def recordings(name: str, outputs: list[Output | None]) -> Question:
    group = {"sentence": name}
    asked = [Sample(id=f"{name}/{n}", language="eng_Latn", choices=LABELS, answer=0, group=group) for n in range(4)]
    return list(zip(asked, outputs, strict=False))


def voted_question(name: str, draw: Any) -> Question:
    said = st.sampled_from([*LABELS, LABELS[0], "who knows"]).map(lambda text: Output(text=text))
    return recordings(name, draw(st.lists(st.none() | said | said, min_size=1, max_size=4)))


def voted_perfect(name: str, draw: Any) -> Question:
    return recordings(name, [Output(text=LABELS[0])] * 3)


INSTRUCTIONS = ("punctuation:no_comma", "detectable_format:title", "startend:quotation")


def instructed(name: str, draw: Any, text: str | None) -> Question:
    ids = draw(st.lists(st.sampled_from(INSTRUCTIONS), min_size=1, max_size=3, unique=True))
    group = {"instructions": json.dumps([{"id": one, "kwargs": {}} for one in ids])}
    sample = Sample(id=name, language="eng_Latn", group=group)
    return [(sample, None if text is None else Output(text=text))]


def instruction_question(name: str, draw: Any) -> Question:
    return instructed(name, draw, draw(st.sampled_from([None, "", "a, b", '"x"', "<<a>> b", "Sure, here:\n*c*"])))


def instruction_perfect(name: str, draw: Any) -> Question:
    return instructed(name, draw, '"<<a>> b"')


CALL = 'Action: search\nAction Input: {"q": "x"}'
REFERENCES = ('{"action": "search", "input": {"q": "x"}}', '{"action": "open", "input": {}}', "Next: conclusion")


def tool_question(name: str, draw: Any) -> Question:
    references = draw(st.lists(st.sampled_from(REFERENCES), max_size=2).map(tuple))
    answers = [None, "", CALL, "Action: fetch", 'Action: search\nAction Input: {"q": "y"}', "Next: give up", "search"]
    text = draw(st.sampled_from(answers))
    sample = Sample(id=name, language="eng_Latn", choices=("search", "open"), references=references)
    return [(sample, None if text is None else Output(text=text))]


def tool_perfect(name: str, draw: Any) -> Question:
    sample = Sample(id=name, language="eng_Latn", choices=("search", "open"), references=REFERENCES[:1])
    return [(sample, Output(text=CALL))]


def verdict(texts: list[str], best: str) -> Kind:
    def question(name: str, draw: Any) -> Question:
        text = draw(st.sampled_from([None, "", "who knows", *texts]))
        group = draw(st.sampled_from([{}, {}, {"failed": "yes"}]))
        sample = Sample(id=name, language="eng_Latn", group=group)
        return [(sample, None if text is None else Output(text=text))]

    return Kind(question, lambda name, draw: [(Sample(id=name, language="eng_Latn"), Output(text=best))])


def compared(name: str, texts: tuple[str | None, str | None], **group: str) -> Question:
    return [
        (
            Sample(id=f"{name}#{order}", language="eng_Latn", group={"pair": name, "order": order, **group}),
            None if text is None else Output(text=text),
        )
        for order, text in zip(("ab", "ba"), texts, strict=True)
    ]


def pairwise(texts: list[str], best: tuple[str, str]) -> Kind:
    def question(name: str, draw: Any) -> Question:
        said = st.sampled_from([None, "?", *texts, *texts, *texts])
        group = draw(st.sampled_from([{}, {}, {}, {"failed": "a"}, {"failed": "b"}]))
        return compared(name, (draw(said), draw(said)), **group)

    return Kind(question, lambda name, draw: compared(name, best))


def noise_question(name: str, draw: Any) -> Question:
    text = draw(st.sampled_from([None, "", "[noise]", "Hello.", "I'm sorry, I can't answer that."]))
    sample = Sample(id=name, language="eng_Latn", group=draw(st.sampled_from([{"speech": "yes"}, {"speech": "no"}])))
    return [(sample, None if text is None else Output(text=text))]


def noise_perfect(name: str, draw: Any) -> Question:
    return [(Sample(id=name, language="eng_Latn", group={"speech": "no"}), Output(text=""))]


@dataclass(frozen=True)
class Kind:
    """How to draw any question, and one whose answer is perfect."""

    question: Callable[[str, Any], Question]
    perfect: Callable[[str, Any], Question]


TEXT, CHOICE = Kind(text_question, text_perfect), Kind(choice_question, choice_perfect)
RANKED, TOOLS = Kind(ranked_question, ranked_perfect), Kind(tool_question, tool_perfect)
LIKELIHOOD = Kind(likelihood_question, choice_perfect)
KINDS = {
    **dict.fromkeys(("accuracy_token", "accuracy_byte", "accuracy_calibrated", "contrastive"), LIKELIHOOD),
    **dict.fromkeys(("accuracy", "label", "macro"), CHOICE),
    **dict.fromkeys(("auc", "mrr", "ndcg", "recall"), RANKED),
    "cider": Kind(text_question, weighty),
    "circular": Kind(circular_question, circular_perfect),
    "noise": Kind(noise_question, noise_perfect),
    "majority": Kind(voted_question, voted_perfect),
    "instructions": Kind(instruction_question, instruction_perfect),
    "tool": TOOLS,
    "judge": verdict(["Score: 10", "3", "0", "Score: 11"], "Score: 10"),
    "judge_exact": verdict(["match", "different"], "match"),
    "judge_label": verdict(["correct", "partly correct", "incorrect"], "correct"),
    "judge_yes_no": verdict(["yes", "no"], "yes"),
    "judge_relative": pairwise(["9 1", "1 9", "5 5"], ("10 1", "1 10")),
    **{name: Kind(*both) for name, both in image_cases.CASES.items()},
    **dict.fromkeys(
        ("judge_pairwise", "judge_consistency", "judge_position_bias"),
        pairwise(["[[A]]", "[[B]]", "[[C]]"], ("[[A]]", "[[B]]")),
    ),
}


def kind(name: str) -> Kind:
    """The kind of a scorer, by its name or the first word of it; texts for all others."""
    found = KINDS.get(name) or KINDS.get(name.partition("@")[0].partition("_")[0], TEXT)
    if name == "tool_set":
        return Kind(
            found.question,
            lambda name, draw: [(Sample(id=name, language="eng_Latn", references=("search",)), Output(text="search"))],
        )
    return found


@cache
def loaded(name: str) -> Scorer | UsageError:
    try:
        scorer: Scorer = load("scorer", name)
    except UsageError as error:
        return error
    return scorer


def scorer_of(name: str) -> Scorer:
    """A scorer of conf/scorer; a test is skipped where what it needs is not on the machine."""
    found = loaded(name)
    if isinstance(found, UsageError):
        pytest.skip(str(found))
    return found


def record(pair: Pair) -> Record:
    sample, output = pair
    error = Failure("RuntimeError", "broken") if output is None else None
    prediction = Prediction(sample_id=sample.id, language=sample.language, output=output, error=error)
    return Record(sample, prediction)


def records(questions: list[Question]) -> list[Record]:
    return [record(pair) for question in questions for pair in question]


NAMES = [name for name in names("scorer") if name not in ("bertscore", "comet") and not name.startswith("user_")]
