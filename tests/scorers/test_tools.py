"""Names of tools and calls with arguments, on the published data and on what models write instead."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench import __version__
from mmbench.errors import UsageError
from mmbench.schema import Output, Sample, Scorer
from mmbench.scorers.tools import Call, ToolCalls, ToolSet, argument_f1, parse_call

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples"
F1, ACTION = ToolCalls(), ToolCalls(measure="action")
PLAN, IMAGINED = ToolCalls(measure="plan"), ToolCalls(measure="hallucination")
REFERENCE = '{"action": "find", "input": {"a": 1, "b": 2}}'
values = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 2), max_size=5)


def read(*names):
    path = SAMPLES.joinpath(*names)
    if not path.exists():
        pytest.skip("the published samples are not here")
    return json.loads(path.read_text(encoding="utf-8"))


def sample(*references, choices=("find", "buy")):
    return Sample(id="1", language="eng_Latn", references=references, choices=choices)


def call(action="find", **arguments):
    return Call(plan="call", action=action, arguments=arguments)


def test_argument_f1_as_published():
    """alpha-UMi: {a: 1, b: 2} against {a: 1, b: 3} has P = R = 0.75."""
    assert argument_f1({"a": 1, "b": 2}, {"a": 1, "b": 3}) == 0.75
    assert argument_f1({"a": 1}, {"a": 1, "b": 3}) == pytest.approx(2 * 1 * 0.5 / 1.5)
    assert argument_f1({}, {}) == 1
    assert argument_f1({"a": 1}, {}) == argument_f1({}, {"a": 1}) == argument_f1({"b": 1}, {"a": 1}) == 0
    assert argument_f1({"a": True}, {"a": 1}) == 0.5
    assert argument_f1({"a": [1, {"b": 2.0}]}, {"a": [1, {"b": 2}]}) == 1


@given(values, values)
def test_argument_f1_properties(given_, right):
    score = argument_f1(given_, right)
    assert 0 <= score <= 1
    assert (score == 1) == (given_ == right)
    assert score == argument_f1(right, given_)
    assert argument_f1({**given_, "z": 1}, {**right, "z": 1}) >= (score if right else 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Action: find\nAction Input: {"a": 1}', call(a=1)),
        ('I look it up. Next: caller.</s>Action: find\nAction Input: {\n  "a": 1\n}</s>', call(a=1)),
        ('Action: buy\nAction Input: {}\nObservation: no\nAction: find\nAction Input: {"a": 1}', call(a=1)),
        ('Action: find Action Input: {"a": 1}', call(a=1)),
        ("Action: find", call()),
        ("Action: `find`\nAction Input:", call()),
        ("Action: find\nAction Input: a=1", Call(plan="call", action="find", arguments=None)),
        ('Action: find\nAction Input: {"a": 1', Call(plan="call", action="find", arguments=None)),
        ("Action: find\nAction Input: [1]", Call(plan="call", action="find", arguments=None)),
        ("Action:\nAction Input: {}", None),
        ('{"action": "find", "input": {"a": 1}}', call(a=1)),
        ('Sure:\n```json\n{"name": "find", "arguments": "{\\"a\\": 1}"}\n```', call(a=1)),
        ('{"type": "function", "function": {"name": "find", "parameters": {"a": 1}}}', call(a=1)),
        ('Action: find\nAction Input: ```json\n{"a": 1}\n```', call(a=1)),
        ('{"tool": "find"}', call()),
        ('{"action": 3}', None),
        ('{"action": "find"', None),
        ("[1]", None),
        ("", None),
        ("find it", None),
        ("I have it. Next: conclusion. conclusion: 42", Call(plan="finish")),
        ("Nothing works. Next: give up.", Call(plan="give up")),
        ("{" * 100_000, None),
    ],
)
def test_parse_call(text, expected):
    assert parse_call(text) == expected


@given(st.text(max_size=60))
def test_parse_call_never_fails(text):
    assert parse_call(text) is None or isinstance(parse_call(text), Call)
    parse_call(f"Action: {text}\nAction Input: {{{text}}}")


@pytest.mark.parametrize(
    ("text", "f1", "action", "plan", "imagined"),
    [
        ('Action: find\nAction Input: {"a": 1, "b": 3}', [0.75, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0]),
        ('Action: buy\nAction Input: {"a": 1, "b": 2}', [0, 1, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0]),
        ('Action: steal\nAction Input: {"a": 1}', [0, 1, 0, 1], [0, 1, 0, 1], [1, 1, 0, 1], [1, 1, 0, 1]),
        ("Action: find\nAction Input: a=1", [0, 1, 1, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0]),
        ("I would find it", [0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0]),
        ("Next: conclusion. It is 42.", [0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]),
        (None, [0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0]),
    ],
)
def test_calls(text, f1, action, plan, imagined):
    output = None if text is None else Output(text=text)
    found = [scorer.stats(sample(REFERENCE), output).tolist() for scorer in (F1, ACTION, PLAN, IMAGINED)]
    assert found == [f1, action, plan, imagined]


def test_references():
    finish = sample("All done. Next: conclusion. conclusion: 42")
    said = Output(text="Next: conclusion.")
    assert F1.stats(finish, said).tolist() == ACTION.stats(finish, said).tolist() == [0, 0, 0, 0]
    assert PLAN.stats(finish, said).tolist() == [1, 1, 0, 0]
    assert IMAGINED.stats(sample(choices=()), said).tolist() == [0, 0, 0, 0]
    either = sample('{"action": "buy", "input": {}}', REFERENCE)
    assert F1.stats(either, Output(text=REFERENCE)).tolist() == [1, 1, 0, 0]
    for text in ("find it", '{"action": "find", "input": "a"}'):
        with pytest.raises(UsageError, match="is no call of a tool; write it as"):
            F1.stats(sample(text), said)
    with pytest.raises(UsageError, match="unknown measure 'rouge': known are f1, action, plan, hallucination"):
        ToolCalls(measure="rouge")


@pytest.mark.parametrize("scorer", [F1, ACTION, PLAN, IMAGINED, ToolSet()])
def test_protocol(scorer: Scorer):
    np.testing.assert_equal(scorer.reduce(np.array([[1.0, 4, 1, 2], [0, 0, 0, 0]])), [0.25, np.nan])
    assert scorer.unparsed(np.array([[1.0, 4, 1, 2], [0, 1, 1, 0]])) == 2
    assert scorer.counts(np.array([1.0, 4, 1, 2])) == {"hallucinated": 2}
    assert scorer.higher_is_better == (scorer is not IMAGINED)
    assert scorer.proportion == (scorer is not F1)
    assert scorer.signature([]).endswith(f"|unparsed:wrong|mmbench:{__version__}")
    assert math.isnan(float(scorer.reduce(np.zeros(4))))


def test_calls_of_toolbench():
    """Each call in the published conversations is right against itself, and calls a tool that is there."""
    found = []
    for item in read("alpha-umi", "toolbench_out_of_domain.head10.json"):
        tools = tuple(tool["Name"] for tool in item["tools"])
        for turn in item["conversations"]:
            if turn["from"] == "caller":
                asked = sample(turn["value"], choices=tools)
                found.append([s.stats(asked, Output(text=turn["value"])) for s in (F1, ACTION, PLAN, IMAGINED)])
    assert len(found) == 30
    assert np.sum(found, axis=0).tolist() == [[30, 30, 0, 0], [30, 30, 0, 0], [30, 30, 0, 0], [0, 30, 0, 0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a/find", [1, 1, 0, 0]),
        ("\n `a/find`\nThis model fits.", [1, 1, 0, 0]),
        ("b/find", [1, 1, 0, 0]),
        ("A/find", [0, 1, 0, 1]),
        ("use a/find", [0, 1, 0, 1]),
        ("c/find\na/find", [0, 1, 0, 0]),
        (" \n", [0, 1, 1, 0]),
        (None, [0, 1, 0, 0]),
    ],
)
def test_tool_set(text, expected):
    asked = sample("a/find", "b/find", choices=("a/find", "b/find", "c/find"))
    assert ToolSet().stats(asked, None if text is None else Output(text=text)).tolist() == expected


def test_tool_set_of_mllm_tool():
    """Gold sets of the video questions: rows that repeat a question for each acceptable tool are one set."""
    sets = defaultdict(list)
    for row in read("mllm-tool", "video_tx2t.json"):
        asked, answer = row["conversations"]
        sets[asked["value"], row["video_path"]].append(answer["value"])
    one = [ToolSet().stats(sample(*names, choices=()), Output(text=names[0])) for names in sets.values()]
    last = [
        ToolSet().stats(sample(*names, choices=()), Output(text=names[-1] + "\nBecause.")) for names in sets.values()
    ]
    first_only = [ToolSet().stats(sample(names[0], choices=()), Output(text=names[-1])) for names in sets.values()]
    assert (len(sets), max(map(len, sets.values()))) == (82, 8)  # of 224 rows
    assert float(ToolSet().reduce(np.sum(one, axis=0))) == float(ToolSet().reduce(np.sum(last, axis=0))) == 1
    assert float(ToolSet().reduce(np.sum(first_only, axis=0))) < 1  # what one gold tool each would make of it
    assert ToolSet().stats(Sample(id="1", language="eng_Latn"), Output(text="a")).tolist() == [0, 0, 0, 0]
