"""Causal language models: likelihoods against the plain forward pass, and answers that no batch changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mmbench.errors import ModelLoadError, SampleError
from mmbench.models.causal_lm import CausalLM
from mmbench.schema import Audio, Output, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

PROMPTS = (
    "question : the capital of france is",
    "a",
    "yes no one two three a b c d answer :",
    "two\n",
    "Ärger 東京 is ",
)
CHOICES = (
    ("paris", "london", "berlin"),
    ("paris is the capital", "paris is", "b"),
    ("a", "a b", "a b c d"),
    ("é", "東", "x y"),
)


def ask(prompt: str, *choices: str, name: str = "s") -> Sample:
    return Sample(id=name, language="eng_Latn", parts=(Text(prompt),), choices=choices)


QUESTIONS = [ask(p, *c, name=f"{i}.{j}") for i, p in enumerate(PROMPTS) for j, c in enumerate(CHOICES)]


def make(folder: Path, **settings: Any) -> CausalLM:
    model = CausalLM(name="tiny", model=str(folder), dtype="float32", device="cpu", **settings)
    model.load()
    return model


def reference(model: CausalLM, text: str, choice: str) -> tuple[float, int]:
    """Log-likelihood of a choice after a text, from one forward pass over both; they must meet at a token's edge."""
    import torch

    special = not model._chats
    context = model._tokenizer(text, add_special_tokens=special)["input_ids"]
    whole = model._tokenizer(text + choice, add_special_tokens=special)["input_ids"]
    assert whole[: len(context)] == context
    with torch.inference_mode():
        logprobs = model._model(torch.tensor([whole])).logits[0].log_softmax(-1)
    scores = [logprobs[i - 1, whole[i]].item() for i in range(len(context), len(whole))]
    return sum(scores), len(scores)


def close(one: Sequence[Output], other: Sequence[Output]) -> None:
    for a, b in zip(one, other, strict=True):
        assert a.choice_scores == pytest.approx(b.choice_scores, abs=1e-4)
        assert (a.text, a.choice_lengths) == (b.text, b.choice_lengths)


def test_loglikelihood_of_a_base_model_is_the_plain_forward_pass(llama: Path) -> None:
    model = make(llama)
    for sample, output in zip(QUESTIONS, model.loglikelihood(QUESTIONS), strict=True):
        prompt = sample.parts[0].text  # type: ignore[union-attr]
        stripped = prompt.rstrip(" ")
        gap = "" if stripped.endswith("\n") else " "
        expected = [reference(model, stripped, gap + choice) for choice in sample.choices]
        assert output.choice_scores == pytest.approx([score for score, _ in expected], abs=1e-4)
        assert output.choice_lengths == tuple(length for _, length in expected)
        assert output.text == max(zip(expected, sample.choices, strict=True))[1]


def test_loglikelihood_of_a_chat_model_is_the_plain_forward_pass(llama_chat: Path) -> None:
    model = make(llama_chat, system="yes")
    for sample, output in zip(QUESTIONS, model.loglikelihood(QUESTIONS), strict=True):
        prompt = sample.parts[0].text  # type: ignore[union-attr]
        text = f"<s>system\nyes<|im_end|>\n<s>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
        expected = [reference(model, text, choice) for choice in sample.choices]
        assert output.choice_scores == pytest.approx([score for score, _ in expected], abs=1e-4)
        assert output.choice_lengths == tuple(length for _, length in expected)


def test_likelihoods_do_not_depend_on_the_batch(llama: Path, llama_chat: Path) -> None:
    for model in (make(llama), make(llama_chat)):
        single = [model.loglikelihood([sample])[0] for sample in QUESTIONS]
        close(model.loglikelihood(QUESTIONS), single)
        close(model.loglikelihood(QUESTIONS[::-1]), single[::-1])


def test_a_trailing_space_of_the_prompt_changes_nothing(llama: Path) -> None:
    model = make(llama)
    close(model.loglikelihood([ask("a b ", "c", "d d")]), model.loglikelihood([ask("a b", "c", "d d")]))


def test_multi_token_choices_add_up(llama: Path) -> None:
    model = make(llama)
    both, first = model.loglikelihood([ask("a", "b c"), ask("a", "b")])
    (second,) = model.loglikelihood([ask("a b", "c")])
    assert both.choice_scores[0] == pytest.approx(first.choice_scores[0] + second.choice_scores[0], abs=1e-4)
    assert (both.choice_lengths, both.tokens) == ((2,), 2)


def test_over_all_next_tokens_probability_is_one(llama: Path) -> None:
    import math

    model = make(llama)
    pieces = [model._tokenizer.decode([token]) for token in range(model._model.config.vocab_size)]
    words = [piece.removeprefix(" ") for piece in pieces if piece.startswith(" ") and piece.strip()]
    (output,) = model.loglikelihood([ask("the", *words)])
    singles = [s for s, n in zip(output.choice_scores, output.choice_lengths, strict=True) if n == 1]
    assert len(singles) > 10
    assert sum(map(math.exp, singles)) <= 1.0001


@pytest.mark.parametrize("chat", [False, True])
def test_special_tokens_stand_once(llama: Path, llama_chat: Path, chat: bool) -> None:
    model = make(llama_chat if chat else llama)
    start = model._tokenizer.bos_token_id
    ids = model._encode(model._prompt(ask("a b")))
    assert ids[0] == start
    assert ids.count(start) == 1
    ending = model._tokenizer.convert_tokens_to_ids("<|im_start|>")
    assert (ending in ids) == chat


def test_chat_can_be_switched_off_but_not_made_up(llama: Path, llama_chat: Path) -> None:
    plain = make(llama_chat, chat=False)
    assert plain._prompt(ask("a b")) == "a b"
    assert make(llama_chat)._prompt(ask("a b")) == "<s>user\na b<|im_end|>\n<|im_start|>assistant\n"
    with pytest.raises(ModelLoadError, match="no chat template"):
        make(llama, chat=True)


@pytest.mark.parametrize("chat", [False, True])
def test_generation_does_not_depend_on_the_batch(llama: Path, llama_chat: Path, chat: bool) -> None:
    model = make(llama_chat if chat else llama, max_new_tokens=9)
    single = [model.generate([sample])[0] for sample in QUESTIONS]
    assert len({output.text for output in single}) >= len(PROMPTS) - 1
    assert model.generate(QUESTIONS) == single
    assert model.generate(QUESTIONS[::-1]) == single[::-1]


def test_generation_is_greedy_whatever_the_weights_advise(llama: Path, tmp_path: Path) -> None:
    import json
    import shutil

    folder = tmp_path / "advises"
    shutil.copytree(llama, folder)
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "do_sample": True, "temperature": 9.0, "top_k": 3}))
    assert make(folder).generate(QUESTIONS) == make(llama).generate(QUESTIONS)


def test_stop_ends_the_answer_and_is_not_part_of_it(llama: Path) -> None:
    texts = [output.text for output in make(llama, max_new_tokens=12).generate(QUESTIONS[::4])]
    stop = max(
        (char for text in texts for char in text[1:] if char.isascii() and char.isalpha()), key="".join(texts).count
    )
    stopped = make(llama, max_new_tokens=12, stop=stop).generate(QUESTIONS[::4])
    assert [output.text for output in stopped] == [text.partition(stop)[0].strip() for text in texts]
    assert any(output.text != text for output, text in zip(stopped, texts, strict=True))


def test_what_cannot_be_answered_names_the_sample(make_llama: Callable[..., Path], clips: list[Path]) -> None:
    model = make(make_llama(chat=False, positions=64), max_new_tokens=8)
    long = ask("a " * 60, "b", name="long")
    for method in (model.generate, model.loglikelihood):
        with pytest.raises(SampleError, match=r"sample loud .*audio"):
            method([Sample(id="loud", language="eng_Latn", parts=(Text("a"), Audio(clips[0])), choices=("a",))])
    with pytest.raises(SampleError, match=r"sample long\b.* 64"):
        model.generate([ask("a"), long])
    with pytest.raises(SampleError, match=r"sample longer\b.* 64"):
        model.loglikelihood([ask("a", "b"), ask("a " * 70, "b", name="longer")])
    with pytest.raises(SampleError, match="sample none has no choices"):
        model.loglikelihood([ask("a", name="none")])


def test_half_precision_is_near(llama: Path) -> None:
    half = CausalLM(name="half", model=str(llama), dtype="bfloat16", device="cpu")
    for one, other in zip(half.loglikelihood(QUESTIONS), make(llama).loglikelihood(QUESTIONS), strict=True):
        assert one.choice_scores == pytest.approx(other.choice_scores, rel=0.1, abs=1.0)


@pytest.mark.gpu
def test_on_the_accelerator(llama: Path, cuda: str) -> None:
    exact = CausalLM(name="gpu", model=str(llama), dtype="float32", device=cuda)
    for one, other in zip(exact.loglikelihood(QUESTIONS), make(llama).loglikelihood(QUESTIONS), strict=True):
        assert one.choice_scores == pytest.approx(other.choice_scores, abs=1e-2)
    assert len(CausalLM(name="gpu", model=str(llama), device=cuda).generate(QUESTIONS)) == len(QUESTIONS)


@pytest.mark.parametrize(
    ("prompt", "language", "continued"),
    [
        ("Answer:", "eng_Latn", "Answer: yes"),
        ("Answer: ", "eng_Latn", "Answer: yes"),
        ("Answer (", "eng_Latn", "Answer (yes"),
        ("Answer:\n", "eng_Latn", "Answer:\nyes"),
        ("Answer:", "zho_Hans", "Answer:yes"),
    ],
)
def test_a_space_before_a_choice_where_a_writer_would_put_one(
    llama: Path, prompt: str, language: str, continued: str
) -> None:
    sample = Sample(id="1", language=language, parts=(Text(prompt),), choices=("yes", "no"))
    model = make(llama)
    first = model._choices(0, sample)[0]
    assert [*first.context, *first.continuation] == model._encode(continued)


def test_choices_are_compared_over_the_same_text(llama: Path) -> None:
    """ "on" and "e" become the token "one": then the likelihood of "x" counts the prompt's last letters as well."""
    import torch

    model = make(llama)
    sample = Sample(id="1", language="zho_Hans", parts=(Text("two on"),), choices=("x", "e a", "xe"))
    found = model._choices(0, sample)
    assert len({choice.context for choice in found}) == 1
    assert len(found[0].context) < len(model._encode("two on"))
    (output,) = model.loglikelihood([sample])
    for text, choice, score in zip(sample.choices, found, output.choice_scores, strict=True):
        whole = [*choice.context, *choice.continuation]
        assert whole == model._encode(f"two on{text}")
        with torch.inference_mode():
            logprobs = model._model(torch.tensor([whole])).logits[0].log_softmax(-1)
        expected = sum(logprobs[i - 1, whole[i]].item() for i in range(len(choice.context), len(whole)))
        assert score == pytest.approx(expected, abs=1e-4)


def test_an_empty_choice_is_refused(llama: Path) -> None:
    with pytest.raises(SampleError, match="an empty one"):
        make(llama).loglikelihood([ask("Answer:", "yes", "")])
