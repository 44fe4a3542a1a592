"""Tasks: filters, limits, prompts, and what is refused before any data are read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.errors import CellError, UsageError
from mmbench.media.conditions import Noise
from mmbench.schema import Audio, Sample, Text
from mmbench.task import Task, check_template, fill_template, lettered
from tests.fakes import WER, Listed, Ranks, Spy, choosing, sample, task

SPOKEN = Sample(id="a", language="swh_Latn", parts=(Audio(b"x"), Text("{input}")), choices=("yes", "no"))


def ids(items):
    return [item.id for item in items]


def test_limit_counts_by_language():
    found = list(task(20).samples(2))
    assert ids(found) == ["s000", "s001", "s002", "s003", "s004", "s005"]
    assert len(list(task(20).samples())) == 20


def test_d12_limit_of_one_task_is_not_that_of_the_next():
    """D12: lmms-eval reused the sample count that a fraction gave for the first task for all later ones."""
    first, second = task(20, name="first"), task(64, name="second")
    assert [len(list(each.samples(limit))) for limit in (2, None) for each in (first, second)] == [6, 6, 20, 64]
    assert len(list(first.samples(2))) == 6


def test_languages_are_a_filter_in_any_code():
    found = list(task(9, languages=["Swahili", "th"]).samples())
    assert {item.language for item in found} == {"swh_Latn", "tha_Thai"}
    assert list(task(9, languages=[]).samples()) == []
    with pytest.raises(UsageError, match="unknown language"):
        list(task(9, languages=["qqq"]).samples())


def test_prompt_goes_around_the_parts():
    prompt = "From {source} to {target}: {input} Options {{}}:\n{choices}"
    asked = task(prompt=prompt).ask(SPOKEN)
    assert asked.parts == (
        Text("From Swahili to Swahili: ", instruction=True),
        Audio(b"x"),
        Text("{input}"),
        Text(" Options {}:\nA. yes\nB. no", instruction=True),
    )
    assert asked.id == "a"


def test_prompt_alone_adds_nothing():
    assert task().ask(SPOKEN) == SPOKEN


def test_prompt_by_language():
    asker = task(prompt={"sw": "Sema: {input}", "default": "Say: {input}"})
    assert asker.ask(sample(1)).parts[0] == Text("Sema: ", instruction=True)
    assert asker.ask(sample(0)).parts[0] == Text("Say: ", instruction=True)
    with pytest.raises(UsageError, match="no template for eng_Latn"):
        task(prompt={"sw": "{input}"}).ask(sample(0))


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("", "must hold {input} once"),
        ("{input}{input}", "must hold {input} once"),
        ("{input} {inptu}", "unknown field {inptu}; known are choices, input, source, target"),
        ("{}", "unknown field {}"),
        ("{input.__class__}", "unknown field {input.__class__}"),
        ("{input} {", "task.prompt: "),
        ({"default": "{input}", "sw": "x"}, "task.prompt.sw: must hold"),
        ({"qqq": "{input}"}, "unknown language"),
    ],
)
def test_prompts_that_are_wrong(prompt, words):
    with pytest.raises(UsageError) as caught:
        task(prompt=prompt)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="ab{} \n", max_size=12), st.text(alphabet="ab{}inputchoices", max_size=20))
def test_any_text_of_a_sample_stays_as_it_is(around, inside):
    template = around.replace("{", "{{").replace("}", "}}") + "{input}"
    check_template(template, where="here")
    parts = fill_template(template, Sample(id="a", language="eng_Latn", parts=(Text(inside),)))
    assert "".join(part.text for part in parts) == around + inside


def test_method():
    with pytest.raises(UsageError, match=r"task\.method='guess' is not known"):
        task(method="guess")
    with pytest.raises(CellError, match="model spy offers no loglikelihood, which task choose needs"):
        choosing().check(Spy())
    with pytest.raises(CellError, match="model ranks offers no generate"):
        task().check(Ranks(scores=()))
    choosing().check(Ranks(scores=()))


def test_offers_decides_where_a_model_has_it():
    model = Spy()
    model.offers = lambda method: method == "loglikelihood"
    choosing().check(model)
    with pytest.raises(CellError):
        task().check(model)


def test_letters():
    assert lettered(["x", "y"]) == "A. x\nB. y"
    assert lettered([]) == ""
    with pytest.raises(UsageError, match="27 choices are more than there are letters"):
        lettered(["x"] * 27)


def test_samples_are_read_anew_each_time():
    asker = Task(name="t", loader=Listed(items=(sample(0),)), scorers={})
    assert list(asker.samples()) == list(asker.samples())


def test_one_language_needs_no_list() -> None:
    task = Task(name="t", loader=Listed(items=(sample(0), sample(1))), scorers={"wer": WER}, languages="en")
    assert {one.language for one in task.samples()} == {"eng_Latn"}


@pytest.mark.parametrize("languages", [[False], [1], ["fra_Latn", None]])
def test_a_language_that_yaml_has_misread_is_named(languages: list[object]) -> None:
    with pytest.raises(UsageError, match=r"task\.languages: .* is no language code; quote it"):
        Task(name="t", loader=Listed(items=()), scorers={"wer": WER}, languages=languages)  # type: ignore[arg-type]


def test_a_condition_is_on_every_recording_and_its_seed_on_the_sample_alone():
    sound = Sample(
        id="a", language="eng_Latn", parts=(Text("t"), Audio(b"1"), Audio(b"2")), choices=("x", "y"), answer=0
    )
    other = replace(sound, id="b")
    made = [
        list(replace(task(1), loader=Listed(items=order), condition=Noise(snr=3), circular=circular).samples())
        for order in ((sound, other), (other, sound))
        for circular in (False, True)
    ]
    seeds = {}
    for asked in (each for samples in made for each in samples):
        clips = [part for part in asked.parts if isinstance(part, Audio)]
        assert [clip.condition for clip in clips] == [Noise(snr=3)] * 2
        seeds.setdefault(asked.id.partition("#")[0], set()).add(tuple(clip.seed for clip in clips))
    assert [len(found) for found in seeds.values()] == [1, 1], "order and rotations do not matter"
    (a,), (b,) = seeds["a"], seeds["b"]
    assert len({*a, *b}) == 4


@dataclass(frozen=True, kw_only=True)
class Shelves(Listed):
    """A dataset that reads only the languages that it is asked for."""

    languages: tuple[str, ...] | None = field(default=None, compare=False)
    read: list[str] = field(default_factory=list, compare=False)

    def __iter__(self):
        for item in self.items:
            if self.languages is None or item.language in self.languages:
                self.read.append(item.id)
                yield item


def test_languages_that_are_not_wanted_are_not_read():
    shelves = Shelves(items=tuple(sample(index) for index in range(30)))
    asked = replace(task(1), loader=shelves, languages=["swh_Latn", "fra_Latn"])
    assert {item.language for item in asked.samples()} == {"swh_Latn"}
    assert len(shelves.read) == 10
    assert list(replace(asked, languages=["fra_Latn"]).samples()) == []


def test_what_is_left_after_the_limit_is_not_read():
    shelves = Shelves(items=tuple(sample(index) for index in range(30)))
    asked = replace(task(1), loader=shelves, languages=["swh_Latn", "tha_Thai"])
    assert len(list(asked.samples(2))) == 4
    assert len(shelves.read) < 10


def test_a_condition_without_a_recording_is_refused():
    with pytest.raises(UsageError, match="s000 has no recording to put under noise_white_3dB"):
        list(task(3, condition=Noise(snr=3)).samples())
