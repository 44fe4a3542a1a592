"""Contracts over every YAML in conf/: it composes, it builds, and what it builds keeps the protocol."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from omegaconf import OmegaConf

from loaders import voice_prompts
from mmbench import __version__
from mmbench.cell_config import condition_label, model_reading, task_under, task_with
from mmbench.config import build, compose, conf_dir, load, names, resolve
from mmbench.errors import ModelLoadError, UsageError
from mmbench.identity import describe
from mmbench.languages import language
from mmbench.listing import describe as description
from mmbench.measure import fit
from mmbench.media import load_audio
from mmbench.records import Record
from mmbench.schema import ITEM, Audio, Method, Output, Prediction, Reading, Sample, Text
from mmbench.task import check_template, under


def compose_one(group: str, name: str) -> Any:
    """The config with a stand-in for every value that a user must give."""
    cfg = compose([f"+{group}={name}"], name="empty")
    for key in OmegaConf.missing_keys(cfg):
        OmegaConf.update(cfg, key, f"my_{key}.jsonl")
    return resolve(cfg[group])


@pytest.mark.parametrize("name", names("model"))
def test_model(name: str) -> None:
    model = build(compose_one("model", name))
    assert dataclasses.is_dataclass(model)
    assert model.name
    assert any(hasattr(model, method) for method in get_args(Method))
    try:
        json.dumps(describe(model))  # its settings are what run.json keeps
    except ModelLoadError as error:
        assert "is not installed" in str(error)
        pytest.skip(str(error))


INSTALLED = {
    # what of a Debian package a task reads
    "asterisk": "/usr/share/asterisk/sounds/en_US_f_Allison",
    "rendered_tuxpaint": "/usr/share/tuxpaint/stamps/animals",
    "rendered": "/usr/share/fonts/truetype/noto/NotoSansThai-Regular.ttf",
    "tuxpaint": "/usr/share/tuxpaint/stamps/animals",
    "stamp_documents": "/usr/share/tuxpaint/stamps/animals",
    "fish_fillets": "/usr/share/games/fillets-ng/sound",
}


def on_fixture(node: Any, name: str) -> Any:
    """A task's or loader's config that reads the stand-in for its dataset."""
    loader = node.get("loader", node)
    for own in (loader, loader.get("of", {})):  # and the one whose texts are drawn
        if "location" in own:
            own["location"] = f"fixture://{own['_target_'].split('.')[1]}"
    folder = next((path for start, path in INSTALLED.items() if name.startswith(start)), None)
    if folder is not None and not Path(folder).exists():
        pytest.skip(f"{folder} is not there: its Debian package is not installed")
    return node


@pytest.mark.parametrize("name", names("task"))
def test_task(name: str) -> None:
    task = build(on_fixture(compose_one("task", name), name))
    if name.startswith(("manifest", "judge")):
        return  # the data are the user's
    assert task.name == name, "the folder in the results has the name of the config"
    samples = list(task.samples(limit=2))
    assert len({sample.id for sample in samples}) == len(samples) > 0
    scored = [scorer for scorer in task.scorers.values() if not getattr(scorer, "stage", None)]
    for sample in samples:
        assert language(sample.language).tag == sample.language
        if scored:
            has = sample.references or sample.answer is not None or sample.group
            assert has, "there is something to score by"
        if task.method == "loglikelihood":
            assert sample.answer is not None
            assert 0 <= sample.answer < len(sample.choices)
        if task.method == "embed":
            assert sample.variants[ITEM], "there is another side"
        if task.method == "document_loglikelihood":
            own = [part for part in sample.parts if isinstance(part, Text) and not part.instruction]
            for parts in sample.variants.values():
                texts = [part for part in parts if isinstance(part, Text) and not part.instruction]
                assert texts == own, "the same text in each variant"
    narrow = dataclasses.replace(task, languages=[samples[0].language])
    alone = [sample.id for sample in narrow.samples(limit=2)]
    assert alone == [sample.id for sample in samples if sample.language == samples[0].language]
    assert narrow.loader.card.content == task.loader.card.content, "languages are a filter"
    again = build(on_fixture(compose_one("task", name), name))
    assert task.loader.card.content == again.loader.card.content
    assert [sample.id for sample in samples] == [sample.id for sample in again.samples(limit=2)]


CALL = 'Action: search\nAction Input: {"q": "x"}'
HALVES = {"choices": ("a b c d", "e"), "answer": 0, "references": ("a b c d",)}
READ, UNREAD = (
    Output(text="", readings=tuple(Reading(name, 0, -bits, 1, 8) for name, bits in known.items()))
    for known in (
        {"images": 1.0, "none": 2.0, "shuffled": 3.0},
        {"images": 9.0, "none": 8.0, "shuffled": 7.0},
    )
)
FOUND = Output(text="", vectors={"query": (1.0,), "item": (1.0,)})
ASKED: dict[str, tuple[dict[str, Any], Output, Output | None]] = {
    # a sample, an answer that is right, and one that is not; by the first word of the scorer's name
    "": (HALVES, Output(text="a b c d"), None),
    **dict.fromkeys(
        ("auc", "mrr", "mrr@10", "ndcg@10", "recall@1", "recall@3", "recall@5", "recall@10"),
        ({"choices": tuple("abcdefghijklm"), "answer": 0}, Output(text="", choice_scores=(0.0, *[-1.0] * 12)), None),
    ),
    **dict.fromkeys(
        ("accuracy_token", "accuracy_byte"),
        (HALVES, Output(text="", choice_scores=(-1, -9), choice_lengths=(4, 1)), None),
    ),
    "accuracy_calibrated": (HALVES, Output(text="", choice_scores=(-2, -1), prior_scores=(-9, -1)), None),
    "contrastive": (HALVES, Output(text="", choice_scores=(-1, -2), choice_lengths=(1, 1)), None),
    "circular": ({**HALVES, "group": {"circular": "q"}}, Output(text="a b c d"), None),
    "noise_rejection": ({"group": {"speech": "yes"}}, Output(text="Hello."), None),
    "refusal": ({}, Output(text="I'm sorry, but I can't assist with that."), None),
    "instructions": (
        {"group": {"instructions": '[{"id": "punctuation:no_comma", "kwargs": {}}]'}},
        Output(text="no comma"),
        None,
    ),
    **dict.fromkeys(
        ("tool_calls", "tool_action", "tool_plan"),
        (
            {"references": ('{"action": "search", "input": {"q": "x"}}',), "choices": ("search",)},
            Output(text=CALL),
            None,
        ),
    ),
    "tool_hallucination": (
        {"references": ('{"action": "search", "input": {}}',), "choices": ("search",)},
        Output(text=CALL),
        Output(text="Action: fetch"),
    ),
    **dict.fromkeys(("bits_per_byte", "image_gain", "image_gain_shuffled", "variant_accuracy"), ({}, READ, UNREAD)),
    "bits_per_byte_none": ({}, READ, UNREAD),
    "bits_per_byte_shuffled": ({}, READ, UNREAD),
    **dict.fromkeys(
        [f"{way}@{k}" for way in ("text_to_image", "image_to_text") for k in (1, 5, 10)]
        + [f"retrieval@{k}" for k in (1, 10, 100)],
        ({"group": {"item": "1"}}, FOUND, None),
    ),
    **dict.fromkeys(
        [f"user_{name}" for name in ("auc", "mrr@10", "ndcg@10", "recall@3", "recall@5", "recall@10")],
        (
            {"choices": ("no", "yes"), "answer": 1, "group": {"query": "q"}},
            Output(text="", choice_scores=(-1.0, 0.0)),
            None,
        ),
    ),
    **dict.fromkeys(("mmmu", "m3gia"), (HALVES, Output(text="(A)"), Output(text="(B)"))),
    # of a judge the text is the verdict; one that fails has none, which is no bad verdict
    **dict.fromkeys(("judge",), ({}, Output(text="9"), Output(text="1"))),
    "judge_exact": ({}, Output(text="match"), Output(text="different")),
    "judge_label": ({}, Output(text="correct"), Output(text="incorrect")),
    "judge_yes_no": ({}, Output(text="yes"), Output(text="no")),
    **dict.fromkeys(
        ("judge_pairwise", "judge_consistency", "judge_position_bias", "judge_relative"),
        ({"group": {"pair": "1", "order": "ab"}}, Output(text="9 1"), None),
    ),
}


@pytest.mark.parametrize("name", names("scorer"))
def test_scorer(name: str) -> None:
    try:
        scorer = load("scorer", name)
    except UsageError as error:
        assert any(mend in str(error) for mend in ("pip install", "give a folder", "put")), "how to mend it is said"
        pytest.skip(str(error))
    fields, good, bad = ASKED.get(name, ASKED[""])
    sample = Sample(id="1", **{"language": "eng_Latn", **fields})
    other = Sample(id="2", language="eng_Latn", references=("something else entirely",), group=sample.group)
    scorer = fit(scorer, [Record(each, Prediction(sample_id=each.id, language="eng_Latn")) for each in (sample, other)])
    right, wrong = (scorer.stats(sample, output) for output in (good, bad))
    assert (
        right.shape == wrong.shape == scorer.stats(Sample(id="0", language="eng_Latn", group=sample.group), None).shape
    )
    assert right.dtype == np.float64
    assert scorer.reduce(np.stack([right, wrong])).shape == (2,)
    assert np.isnan(scorer.reduce(np.zeros((3, len(right))))).all(), "nothing to score is no score"
    assert f"|mmbench:{__version__}" in scorer.signature(["eng_Latn"])
    both = np.stack([right, wrong])
    assert scorer.unparsed(scorer.join(both) if hasattr(scorer, "join") else both) in (0, 1, 2)
    if "stage" in scorer.signature(["eng_Latn"]) or hasattr(scorer, "joined_by"):
        return
    best, worst = float(scorer.reduce(right)), float(scorer.reduce(wrong))
    assert best > worst if scorer.higher_is_better else best < worst, "a failed sample is never right"


@pytest.mark.parametrize("name", names("loader"))
def test_loader(name: str) -> None:
    loader = build(compose_one("loader", name))
    assert hasattr(type(loader), "card")
    assert hasattr(type(loader), "__iter__")
    if hasattr(loader, "location"):
        found = build(on_fixture(compose_one("loader", name), name))
        assert found.card.licence
        assert next(iter(found)).parts
        elsewhere = compose([f"+loader={name}", f"+data.{name}=here"], name="empty")
        assert elsewhere.loader.location == "here", "one place says where all data are"


@pytest.mark.parametrize("name", names("shots"))
def test_shots(name: str) -> None:
    chosen = ["task=voice_prompts_topic", "model=echo", f"shots={name}", "task.languages=[spa_Latn]"]
    plain = resolve(compose(chosen))
    if name == "similar":
        plain["shots"]["by"] = plain["model"]
    task = build(task_with(plain["task"], plain["shots"]))
    assert re.fullmatch(r"[\w.+@=-]+", task.name), "it is a folder's name"
    clips = [sum(isinstance(part, Audio) for part in sample.parts) for sample in task.samples(limit=2)]
    assert clips == ([1, 1] if name == "none" else [5, 5])


@pytest.mark.parametrize("name", names("condition"))
def test_condition(name: str) -> None:
    chosen = ["task=voice_prompts_asr", "model=echo", f"condition={name}"]
    if name == "babble":  # its voices are the user's
        chosen += [f"condition.folder={Path(voice_prompts.__file__).parent / 'audio' / 'fra_Latn'}"]
    cfg = compose(chosen)
    task = build(task_under(resolve(cfg)["task"], resolve(cfg)["condition"]))
    label = condition_label(resolve(cfg)["condition"])
    assert task.name == ("voice_prompts_asr" if name == "clean" else f"voice_prompts_asr@{label}")
    assert re.fullmatch(r"[\w.+@=-]+", label), "it is part of a folder's name"
    sample = next(task.samples())
    (clip,) = (part for part in sample.parts if isinstance(part, Audio))
    plain = load_audio(dataclasses.replace(clip, condition=None), rate=16000)
    heard, again = load_audio(clip, rate=16000), load_audio(clip, rate=16000)
    np.testing.assert_array_equal(heard, again)
    assert np.array_equal(heard, plain) == (name == "clean")
    assert under(sample, task.condition).parts == sample.parts if task.condition else True


@pytest.mark.parametrize("name", names("prompt"))
def test_prompt(name: str) -> None:
    templates = resolve(compose([f"+prompt={name}"], name="empty"))["prompt"]
    assert "default" in templates
    for key, template in templates.items():
        check_template(template, where=key)
        assert key == "default" or language(key).tag == key


@pytest.mark.parametrize(
    "path", sorted(conf_dir().glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_every_config_says_what_it_is(path: Any) -> None:
    assert len(description(path)) > 10


@pytest.mark.parametrize("path", sorted(conf_dir().glob("*.yaml")), ids=lambda path: path.stem)
def test_primary_config(path: Any) -> None:
    assert yaml.safe_load(path.read_text(encoding="utf-8")) is not None
    if path.stem not in ("config", "empty"):
        cfg = compose([], name=path.stem)
        assert resolve(cfg)["task"]["name"]
        sweep = yaml.safe_load(path.read_text(encoding="utf-8"))["hydra"]["sweeper"]["params"]
        for key, values in sweep.items():  # every value of every axis composes and builds
            for value in str(values).split(","):
                node = resolve(compose([f"{key}={value.strip()}"], name=path.stem))
                task_under(on_fixture(node["task"], node["task"]["name"]), node["condition"])
                build(model_reading(node["model"], node["input"], "cache"))
