"""What a run is made of, as plain data: settings of models and datasets, weights, versions, machine.

A fingerprint says whether two answers may stand in one file; the environment says where they came from.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmbench.errors import ModelLoadError

_PACKAGES = (
    *("mmbench", "torch", "torchaudio", "transformers", "datasets", "tokenizers", "faster-whisper", "ctranslate2"),
    *("gguf", "numpy", "soundfile", "soxr", "pillow", "jiwer", "rapidfuzz", "sacrebleu", "hydra-core"),
    *("scipy", "sentencepiece", "pyctcdecode", "ufal-kenlm", "onnxruntime", "av"),
)
_PACKAGE = "package://"


def describe(value: Any) -> Any:
    """Settings of an object as JSON data: its class and init fields, recursively; paths and scalars as they are.

    Fields with `compare=False` do not change answers (a batch size, a cache folder) and are left out.
    """
    if is_dataclass(value) and not isinstance(value, type):
        settings = {f.name: describe(getattr(value, f.name)) for f in fields(value) if f.init and f.compare}
        identity = getattr(value, "content", None)
        extra = {"content": identity} if isinstance(identity, str) else {}
        return {"class": f"{type(value).__module__}.{type(value).__qualname__}", **settings, **extra}
    if isinstance(value, Mapping):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((describe(item) for item in value), key=repr)  # their own order changes from process to process
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"  # its repr holds an address
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Path):
        return str(value)
    return repr(value)


def digest(value: Any) -> str:
    """SHA-256 (hex) of an object's description."""
    text = json.dumps(describe(value), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def resolve(location: str) -> str:
    """Turn `package://NAME/SUB/PATH` into the path inside that installed package; anything else stays as it is.

    Raises:
        ModelLoadError: the package or the file in it is not there.
    """
    if not location.startswith(_PACKAGE):
        return location
    package, _, rest = location.removeprefix(_PACKAGE).partition("/")
    spec = find_spec(package)  # found, not imported: a package that is here for its weights may lack what it imports
    if spec is None or not spec.submodule_search_locations:
        raise ModelLoadError(f"{location}: the package {package} is not installed; 'mmbench doctor' says how to get it")
    paths = [Path(folder) / rest for folder in spec.submodule_search_locations]
    path = next((path for path in paths if path.exists()), None)
    if path is None:
        raise ModelLoadError(f"{location}: the package {package} has no {rest}; another version of it is installed")
    return str(path)


def weights(location: str, revision: str | None = None) -> str:
    """A short identity of a model's weights: package version, content of a local folder, or hub id and revision.

    A local folder is known by the names and sizes of its files and the bytes of the small ones and the ends of the
    large ones, because hashing many gigabytes at every start would cost more than it protects from.
    """
    path = Path(resolve(location))
    if not path.exists():
        return f"{location}@{revision or 'main'}"
    return _content(path)


@cache
def _content(path: Path) -> str:
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    total = hashlib.sha256()
    for file in files:
        size = file.stat().st_size
        name = file.relative_to(path).as_posix() if path.is_dir() else file.name
        if "__pycache__" in name:
            continue
        total.update(f"{name}\0{size}\0".encode())
        with file.open("rb") as handle:
            total.update(handle.read(1 << 20))
            if size > 1 << 20:
                handle.seek(-min(size - (1 << 20), 1 << 20), os.SEEK_END)
                total.update(handle.read())
    return f"sha256:{total.hexdigest()[:32]}"


@cache
def environment() -> Mapping[str, Any]:
    """Versions, commit and machine, for run.json, as they were when first asked; nothing is imported for it."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "packages": versions,
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.node(),
        "cpus": os.cpu_count(),
    }


def _commit() -> str | None:
    """Commit of the checkout that mmbench runs from, with "+" where it has uncommitted changes; None in a wheel."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+"]
        found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None
