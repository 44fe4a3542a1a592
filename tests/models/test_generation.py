"""How models are asked: greedily against all advice of a checkpoint, on one day, and no answer is broken off unseen."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mmbench.models.causal_lm import CausalLM
from mmbench.models.generation import counted, end_tokens, on_one_day
from mmbench.schema import Output, Sample, Text

if TYPE_CHECKING:
    from pathlib import Path

ADVICE: dict[str, Any] = {
    "do_sample": True,
    "num_beams": 4,
    "repetition_penalty": 5.0,
    "encoder_repetition_penalty": 5.0,
    "no_repeat_ngram_size": 1,
    "min_length": 300,
    "min_new_tokens": 9,
    "guidance_scale": 4.0,
    "penalty_alpha": 0.6,
    "exponential_decay_length_penalty": [1, 9.0],
    "forced_eos_token_id": 7,
}


def advised(folder: Path, place: Path, **advice: Any) -> Path:
    """The weights with another generation config."""
    shutil.copytree(folder, place)
    path = place / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **advice}))
    return place


def answers(folder: Path, **settings: Any) -> list[Output]:
    model = CausalLM(name="tiny", model=str(folder), dtype="float32", device="cpu", max_new_tokens=9, **settings)
    parts = ("question : the capital of france is", "a b c", "two")
    return model.generate([Sample(id=text, language="eng_Latn", parts=(Text(text),)) for text in parts])


@pytest.fixture(scope="module")
def ending(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of which an answer ends by itself, because a token that they write there ends it."""
    model = CausalLM(name="tiny", model=str(llama), dtype="float32", device="cpu")
    model.load()
    ids = model._tokenizer("two", return_tensors="pt")
    token = model._model.generate(**ids, do_sample=False, max_new_tokens=4)[0, -1].item()
    return advised(llama, tmp_path_factory.mktemp("ending") / "weights", eos_token_id=token)


@pytest.mark.parametrize("name", ADVICE)
def test_no_advice_of_a_checkpoint_changes_an_answer(ending: Path, tmp_path: Path, name: str) -> None:
    plain = answers(ending)
    assert any(not output.notes for output in plain) and any(output.notes for output in plain)
    assert answers(advised(ending, tmp_path / name, **{name: ADVICE[name]})) == plain


def test_settings_go_before_what_is_greedy(ending: Path) -> None:
    plain = answers(ending)
    for name in ("repetition_penalty", "no_repeat_ngram_size", "min_new_tokens", "forced_eos_token_id"):
        assert answers(ending, generation={name: ADVICE[name]}) != plain, name


def test_an_answer_that_is_broken_off_says_so(ending: Path) -> None:
    for output in answers(ending):
        assert output.notes == (("stopped after 9 tokens",) if output.tokens == 9 else ())
    letter = next(char for char in answers(ending)[0].text if char.isalpha())
    assert answers(ending, stop=letter)[0].notes == (), "it has ended, as it was told to"


@pytest.mark.parametrize(
    ("row", "length", "notes"),
    [
        ([5, 6, 2], 2, ()),
        ([5, 2, 0, 0], 1, ()),
        ([5, 6, 7], 3, ("stopped after 3 tokens",)),
        ([5, 0, 0], 1, ()),
        ([2, 5, 6], 0, ()),
        ([], 0, ("stopped after 0 tokens",)),
    ],
)
def test_tokens_are_those_before_the_end(row: list[int], length: int, notes: tuple[str, ...]) -> None:
    assert counted(row, {0, 2}) == (length, notes)


def test_what_ends_an_answer() -> None:
    model = SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=[2, 3], pad_token_id=None))
    assert end_tokens(model, {}) == {2, 3}
    assert end_tokens(model, {"pad_token_id": 0, "eos_token_id": 9}) == {0, 9}


def test_a_template_that_asks_for_the_day_gets_the_same_one(llama_chat: Path, tmp_path: Path) -> None:
    dated = shutil.copytree(llama_chat, tmp_path / "dated")
    (dated / "chat_template.jinja").write_text("{{ strftime_now('%d %B %Y') }} {{ messages[0].content }}")
    model = CausalLM(name="dated", model=str(dated), device="cpu")
    model.load()
    assert model._prompt(Sample(id="a", language="eng_Latn", parts=(Text("hi"),))) == "26 July 2024 hi"
    assert on_one_day('{{ strftime_now( "%Y" ) ~ strftime_now }}') == '{{ "2024" ~ strftime_now }}'
