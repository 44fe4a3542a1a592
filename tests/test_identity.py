"""What a run is made of: settings that change answers, weights by content, and an environment without imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mmbench.errors import ModelLoadError
from mmbench.identity import describe, digest, environment, resolve, weights
from mmbench.schema import Text
from tests.fakes import WER, Spy


@dataclass
class Settings:
    rate: int = 1
    inner: object = None
    batch_size: int = field(default=8, compare=False)
    state: int = field(default=0, init=False)


@dataclass
class Weighted:
    content: str = field(default="sha256:1", init=False)


def test_description_holds_init_fields_that_change_answers():
    assert describe(Settings(rate=2)) == {"class": f"{__name__}.Settings", "rate": 2, "inner": None}
    assert describe(Weighted()) == {"class": f"{__name__}.Weighted", "content": "sha256:1"}


def test_description_is_recursive_and_json():
    value = {"a": Settings(inner=(Path("x/y"), [Text("t")], 0.5)), 3: None}
    found = describe(value)
    assert found["a"]["inner"] == ["x/y", [{"class": "mmbench.prompt.Text", "text": "t", "instruction": False}], 0.5]
    assert json.loads(json.dumps(found)) == {**found}
    assert list(found) == ["a", "3"]


def test_digest_sees_settings_and_nothing_else():
    model = Spy(setting=1)
    before = digest(model)
    model.calls.append(["a"])
    assert digest(model) == before == digest(Spy(setting=1, act=print))
    assert digest(Spy(setting=2)) != before


def test_digest_is_that_of_another_process():
    """D4: a key that changes between two identical commands never finds anything again."""
    value = "{'set': {'a', 'b', 'c', 'd'}, 'function': describe, 'class': Path, 'nan': float('nan')}"
    code = f"from mmbench.identity import describe, digest; from pathlib import Path; print(digest({value}))"
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_order_of_keys_plays_no_part():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest([1, 2]) != digest([2, 1])
    assert describe(WER)["normalizer"] == "mmbench"


# Weights


def folder(path):
    (path / "sub").mkdir(parents=True)
    (path / "config.json").write_text("{}")
    (path / "sub" / "large.bin").write_bytes(b"a" * 3_000_000)
    return path


def test_equal_folders_are_equal_wherever_they_are(tmp_path):
    assert weights(str(folder(tmp_path / "a"))) == weights(str(folder(tmp_path / "b")))


@pytest.mark.parametrize("change", ["begin", "end", "size", "name", "small"])
def test_changed_folder_is_another(tmp_path, change):
    before, path = weights(str(folder(tmp_path / "a"))), folder(tmp_path / "b")
    large = path / "sub" / "large.bin"
    content = {"begin": b"b" + b"a" * 2_999_999, "end": b"a" * 2_999_999 + b"b", "size": b"a" * 3_000_001}
    large.write_bytes(content.get(change, large.read_bytes()))
    if change == "name":
        large.rename(path / "sub" / "other.bin")
    (path / "config.json").write_text('{"a": 1}' if change == "small" else "{}")
    assert weights(str(path)) != before


def test_hub_names_are_known_by_revision():
    assert weights("org/no-such-folder") == "org/no-such-folder@main"
    assert weights("org/no-such-folder", "abc") == "org/no-such-folder@abc"


def test_packages():
    assert resolve("org/name") == "org/name"
    assert Path(resolve("package://mmbench/languages.tsv")).is_file()
    with pytest.raises(ModelLoadError, match="package no_such_package is not installed"):
        resolve("package://no_such_package/x")
    with pytest.raises(ModelLoadError, match=r"package mmbench has no x\.bin"):
        resolve("package://mmbench/x.bin")


def test_environment_is_json_and_imports_nothing():
    code = "import sys; from mmbench.identity import environment; environment(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"
    found = json.loads(json.dumps(environment()))
    assert found["packages"]["numpy"]
    assert found.keys() >= {"commit", "python", "platform", "machine", "cpus"}
