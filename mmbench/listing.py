"""`mmbench list`: what there is to choose from, read from the first comment of each config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmbench import languages

if TYPE_CHECKING:
    from pathlib import Path

_GROUPS = {"tasks": "task", "models": "model", "scorers": "scorer"}


def listing(what: str | None) -> str:
    """Text of the list; tasks, models and scorers where nothing is named."""
    if what == "languages":
        return _languages()
    from mmbench.config import conf_dir

    chosen = list(_GROUPS) if what is None else [what]
    return "\n".join(_group(title, conf_dir() / _GROUPS[title]) for title in chosen)


def _group(title: str, folder: Path) -> str:
    files = sorted(folder.glob("*.yaml"))
    width = max(len(file.stem) for file in files)
    lines = [f"  {file.stem:<{width}}  {describe(file)}".rstrip() for file in files]
    return "\n".join([f"{title}:", *lines]) + "\n"


def describe(file: Path) -> str:
    """First sentence of the comment that a config begins with."""
    comment = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        comment.append(line.lstrip("# ").rstrip())
    text = " ".join(comment)
    return text.split(". ")[0].rstrip(".")


def _languages() -> str:
    rows = [("tag", "language", "family", "region", "class", "words", "FLEURS")]
    for found in languages.all_languages():
        words = "spaced" if found.spaced else "unspaced"
        rows.append((found.tag, found.name, found.family, found.region, found.resource, words, found.fleurs or ""))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"
