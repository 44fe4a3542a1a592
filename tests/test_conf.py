"""Contracts over every YAML in conf/: it composes, it builds, and what it builds keeps the protocol."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from omegaconf import OmegaConf

from mmbench.config import build, compose, conf_dir, load, names, resolve
from mmbench.identity import describe
from mmbench.languages import language
from mmbench.listing import describe as description
from mmbench.schema import Output, Sample


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
    assert hasattr(model, "generate") or hasattr(model, "loglikelihood")
    json.dumps(describe(model))  # its settings are what run.json keeps


@pytest.mark.parametrize("name", names("task"))
def test_task(name: str) -> None:
    task = build(compose_one("task", name))
    if name.startswith("asterisk") and not Path("/usr/share/asterisk/sounds/en_US_f_Allison").exists():
        pytest.skip("the Debian packages asterisk-core-sounds-* are not installed")
    if name.startswith("manifest"):
        return  # the data are the user's
    assert task.name == name, "the folder in the results has the name of the config"
    samples = list(task.samples(limit=2))
    assert len({sample.id for sample in samples}) == len(samples) > 0
    for sample in samples:
        assert language(sample.language).tag == sample.language
        assert sample.references or sample.answer is not None
        if task.method == "loglikelihood":
            assert sample.answer is not None
            assert 0 <= sample.answer < len(sample.choices)
    assert task.loader.card.content == build(compose_one("task", name)).loader.card.content


@pytest.mark.parametrize("name", names("scorer"))
def test_scorer(name: str) -> None:
    scorer = load("scorer", name)
    sample = Sample(id="1", language="eng_Latn", references=("a b c d",), choices=("a b c d", "e"), answer=0)
    right, failed = scorer.stats(sample, Output(text="a b c d")), scorer.stats(sample, None)
    assert right.shape == failed.shape
    assert right.dtype == np.float64
    if "stage" in scorer.signature(["eng_Latn"]):
        return
    best, worst = float(scorer.reduce(right)), float(scorer.reduce(failed))
    assert best > worst if scorer.higher_is_better else best < worst, "a failed sample is never right"
    assert scorer.reduce(np.stack([right, failed])).shape == (2,)


@pytest.mark.parametrize("name", names("loader"))
def test_loader(name: str) -> None:
    loader = build(compose_one("loader", name))
    assert hasattr(type(loader), "card")
    assert hasattr(type(loader), "__iter__")


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
