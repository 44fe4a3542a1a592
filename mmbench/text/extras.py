"""Libraries that only some normalisers and segmenters need: imported when first used, and named in versions."""

from __future__ import annotations

import os
from importlib import import_module, metadata
from typing import Any

from mmbench.errors import UsageError


def load(module: str, *, extra: str, user: str) -> Any:
    """The module, for `user` (as a message may start with it).

    Raises:
        UsageError: it is not installed; the message names the extra that brings it.
    """
    if module.startswith("pythainlp") and "PYTHAINLP_READ_MODE" not in os.environ:  # its older name; it refuses both
        os.environ.setdefault("PYTHAINLP_READ_ONLY", "1")  # importing it must not make a folder in the user's home
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise _missing(str(error.name).partition(".")[0], extra, user) from error


def released(distribution: str, *, extra: str, user: str) -> str:
    """Name and version of an installed distribution, such as `jieba-0.42.1`; a UsageError like `load` without it."""
    try:
        return f"{distribution}-{metadata.version(distribution)}"
    except metadata.PackageNotFoundError as error:
        raise _missing(distribution, extra, user) from error


def _missing(package: str, extra: str, user: str) -> UsageError:
    return UsageError(f"{user} needs {package}: pip install 'mmbench[{extra}]'")
