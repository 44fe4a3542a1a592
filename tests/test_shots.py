"""Demonstrations: which ones, in which order and language, and how they stand in the prompt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.errors import UsageError
from mmbench.models.echo import Echo
from mmbench.schema import Card, Image, Sample, Text
from mmbench.scorers.accuracy import Accuracy
from mmbench.shots import Shots, apart, demonstration, label
from mmbench.task import Task, rotations

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGES = ("eng_Latn", "swh_Latn", "tha_Thai")


@dataclass(kw_only=True)
class Facts:
    """Questions with two choices; `kind` tells a training set from a test set."""

    kind: str = "test"
    count: int = 12
    group: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Sample]:
        for number in range(self.count):
            for tag in LANGUAGES:
                yield Sample(
                    id=f"{self.kind}{number}/{tag}",
                    language=tag,
                    parts=(Text(f"{tag} question {number}"), Image(b"picture")),
                    choices=("yes", "no"),
                    answer=number % 2,
                    group=self.group or {"item": f"{self.kind}{number}"},
                )

    @property
    def card(self) -> Card:
        return Card(name="facts", revision="1", content="0", languages=LANGUAGES, licence="x", source="x")


def shots(**options: Any) -> Shots:
    return Shots(**{"loader": Facts(kind="train"), "count": 2, **options})


def question(number: int = 3, tag: str = "swh_Latn", **fields: Any) -> Sample:
    return Sample(**{"id": f"test{number}/{tag}", "language": tag, "group": {"item": f"test{number}"}, **fields})


def ids(found: list[Sample]) -> list[str]:
    return [sample.id for sample in found]


def test_the_same_seed_gives_the_same_and_another_one_others() -> None:
    first, again, other = (ids(shots(seed=seed).chosen(question())) for seed in (0, 0, 1))
    assert first == again != other
    assert all(name.endswith("swh_Latn") for name in first), "in the language of the question"
    assert ids(shots().chosen(question(4))) != first, "each question has its own"


def test_more_demonstrations_hold_the_fewer_ones_next_to_the_question() -> None:
    two, eight = ids(shots(count=2).chosen(question())), ids(shots(count=8).chosen(question()))
    assert len(set(eight)) == 8
    assert eight[-2:] == two


def test_their_language_may_be_another_than_the_question_has() -> None:
    found = ids(shots(language="en").chosen(question()))
    assert all(name.endswith("eng_Latn") for name in found)


def test_nothing_about_the_same_item_is_shown() -> None:
    """Else the answer stands in the prompt, in another language or as another question about one image."""
    same = Shots(loader=Facts(count=3), count=2)
    assert {name.split("/")[0] for name in ids(same.chosen(question(1)))} == {"test0", "test2"}
    with pytest.raises(UsageError, match=r"shots\.count=3: sample test1/swh_Latn has 2 demonstrations in swh_Latn"):
        Shots(loader=Facts(count=3), count=3).chosen(question(1))
    assert apart(question(1), question(2))
    assert not apart(question(1), question(1, "tha_Thai"))
    assert not apart(question(1, group={}), question(1, group={}))


def test_likeness_is_what_a_model_embeds_and_the_most_alike_stands_last() -> None:
    texts = shots(choose="similar", by=Echo(), count=3)
    texts.loader = [  # type: ignore[assignment]
        Sample(id=str(n), language="eng_Latn", parts=(Text(text),), references=("r",))
        for n, text in enumerate(("aaaa", "aabb", "bbbb", "zzzz"))
    ]
    near = texts.chosen(Sample(id="q", language="eng_Latn", parts=(Text("aaab"),)))
    assert ids(near) == ["2", "1", "0"]


def test_a_demonstration_ends_in_its_answer() -> None:
    sample = question(parts=(Text("Q"),), choices=("red", "blue"), answer=1)
    shown = demonstration(sample, "{input}\nAnswer:", letters=False)
    assert shown == [Text(text, instruction=True) for text in ("Q", "\nAnswer:", " blue")]
    lettered = demonstration(sample, "{input}\n{choices}\nAnswer:", letters=False)
    assert lettered[-1] == Text(" B", instruction=True)
    assert demonstration(sample, "{input}", letters=True)[-1] == Text(" B", instruction=True)
    thai = question(3, "tha_Thai", parts=(Text("Q"),), references=("ตอบ",))
    assert demonstration(thai, "{input}:", letters=False)[-1] == Text("ตอบ", instruction=True), "no spaces there"
    assert demonstration(sample, "{input}\n", letters=False)[-1] == Text("blue", instruction=True)
    with pytest.raises(UsageError, match="has no answer"):
        demonstration(question(parts=(Text("Q"),)), "{input}", letters=False)


def test_they_stand_before_the_question_with_their_images() -> None:
    task = Task(
        name="facts",
        loader=Facts(),
        scorers={"accuracy": Accuracy()},
        method="loglikelihood",
        prompt="{input}?",
        shots=shots(language="eng_Latn"),
    )
    sample = next(task.samples())
    images = [index for index, part in enumerate(sample.parts) if isinstance(part, Image)]
    assert len(images) == 3
    text = "".join(part.text for part in sample.parts if isinstance(part, Text))
    assert text.count("eng_Latn question") == 3
    assert text.count("\n\n") == 2
    assert text.endswith("question 0?")
    own = [part for part in sample.parts if isinstance(part, Text) and not part.instruction]
    assert [part.text for part in own] == ["eng_Latn question 0"], "the question is told from what was shown"


def test_what_cannot_be_is_refused() -> None:
    for options in ({"count": 0}, {"count": 20, "pool": 10}, {"count": "4"}):
        with pytest.raises(UsageError, match=r"shots\.count"):
            shots(**options)
    with pytest.raises(UsageError, match="is not known: give one of random, similar"):
        shots(choose="best")
    with pytest.raises(UsageError, match=r"needs shots\.by"):
        shots(choose="similar")
    with pytest.raises(UsageError, match=r"needs shots\.by"):
        shots(by=Echo())
    scorers = {"accuracy": Accuracy()}
    with pytest.raises(UsageError, match="leave out shots"):
        Task(name="t", loader=Facts(), scorers=scorers, method="loglikelihood", calibrated=True, shots=shots())
    with pytest.raises(UsageError, match="no shots"):
        Task(name="t", loader=Facts(), scorers={}, method="document_loglikelihood", shots=shots())


def test_labels_are_names_of_folders() -> None:
    assert label(count=4) == "4shot_seed0"
    assert label(count=8, seed=3, language="sw") == "8shot_swh_Latn_seed3"
    assert label(count=4, choose="similar", by={"name": "clip"}) == "4shot_similar"


def test_a_rotated_question_is_never_its_own_demonstration() -> None:
    """Its id is that of the loader with a number behind it, and the most alike to it is the question itself."""
    rotated = next(iter(rotations(question(group={}, choices=("yes", "no"), answer=1))))
    assert not apart(rotated, question(group={}))
    assert apart(rotated, question(4, group={}))
