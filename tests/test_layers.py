"""The rules of the tree, held by reading its imports: who may import whom, and how large a file may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(path for folder in ("mmbench", "loaders") for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_layers(path: Path) -> None:
    name, names = path.relative_to(ROOT).as_posix(), imported(path)
    if name.startswith("mmbench/"):
        assert "loaders" not in names, "the library does not know its datasets"
    if name not in ("mmbench/cli.py", "mmbench/config.py"):
        assert not names & {"hydra", "omegaconf"}, "Hydra ends at build()"
    if not name.startswith(("mmbench/media/", "mmbench/doctor.py")):
        assert not names & {"soundfile", "soxr", "PIL"}, "media are decoded in one place"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_is_longer_than_300_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("module", ["mmbench", "mmbench.cli", "mmbench.config", "mmbench.predict", "mmbench.report"])
def test_importing_needs_no_heavy_library(module: str) -> None:
    code = f"import {module}, sys; print(sorted({{'torch', 'transformers', 'datasets', 'librosa'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_imports_next_to_nothing() -> None:
    heavy = "print({'numpy', 'hydra', 'rich'} & set(sys.modules) or '')"
    code = f"import mmbench.cli, sys; mmbench.arguments.parser(); {heavy}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
