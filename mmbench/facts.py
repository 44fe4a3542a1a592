"""Tables of facts that come with the package: tab-separated values under a header, comments behind #."""

from __future__ import annotations

from importlib import resources


def table(package: str, name: str) -> list[dict[str, str]]:
    """Rows of a table by column, from a file of a package."""
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    header, *lines = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return [dict(zip(header, line, strict=True)) for line in lines]
