"""`mmbench list`: what there is to choose from, read from the first comment of each config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmbench import languages

if TYPE_CHECKING:
    from pathlib import Path

_GROUPS = {f"{group}s": group for group in ("task", "model", "scorer", "condition", "prompt", "loader")}
_GROUPS["shots"] = "shots"


def listing(what: str | None) -> str:
    """Text of the list; everything but languages where nothing is named."""
    if what == "languages":
        return _languages()
    from mmbench.config import conf_dir

    if what == "experiments":
        return _experiments(conf_dir())
    chosen = list(_GROUPS) if what is None else [what]
    groups = [_group(title, sorted((conf_dir() / _GROUPS[title]).glob("*.yaml"))) for title in chosen]
    return "\n".join(groups if what else [*groups, _experiments(conf_dir())])


def _experiments(folder: Path) -> str:
    """Sweeps that are kept as files, for --config-name."""
    files = [file for file in sorted(folder.glob("*.yaml")) if file.stem not in ("config", "empty")]
    return _group("experiments", files)


def _group(title: str, files: list[Path]) -> str:
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
