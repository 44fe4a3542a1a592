"""What loaders of published speech corpora share: languages of folders, clips of archives, and samples of a row."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mmbench import languages as codes
from mmbench.errors import UsageError
from mmbench.schema import Audio, Sample

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from loaders.published import Published
    from mmbench.schema import Source

log = logging.getLogger(__name__)

GENDERS = ("male", "female")
"""The choices of a gender task where a corpus knows two."""


def check(setting: str, value: object, known: Sequence[str]) -> None:
    """Refuse a setting that is not one of its values.

    Raises:
        UsageError: so it is; the message names them.
    """
    if value not in known:
        raise UsageError(f"{setting}={value!r} is not known: give one of {', '.join(known)}")


def by_language(
    found: Iterable[str],
    languages: Sequence[str] | str | None,
    *,
    where: str,
    tag: Callable[[str], str] = codes.tag,
) -> tuple[tuple[str, str], ...]:
    """A corpus's own codes with their tags, of the languages that are asked for, in the order of the tags.

    A code that has no tag is left out with a warning, unless it is asked for.

    Args:
        found: the codes that there are files of.
        languages: what is asked for, any spelling; None is all.
        where: the files that were looked for, for messages.
        tag: how the corpus's codes become tags.

    Raises:
        UsageError: there is no file of a language that is asked for.
    """
    wanted = (
        None
        if languages is None
        else {tag(code) for code in ([languages] if isinstance(languages, str) else languages)}
    )
    pairs = []
    for code in sorted(set(found)):
        try:
            pairs.append((tag(code), code))
        except UsageError as error:
            log.warning("%s: %s left out: %s", where, code, error)
    if missing := sorted((wanted or set()) - {name for name, _ in pairs}):
        known = ", ".join(sorted({name for name, _ in pairs})) or "none"
        raise UsageError(f"{where}: no files of {', '.join(missing)}; there are {known}")
    return tuple((code, name) for name, code in sorted(pairs) if wanted is None or name in wanted)


@dataclass(kw_only=True)
class Clips:
    """Recordings by file name; an archive is unpacked when a name is in none before it.

    Args:
        published: the dataset.
        archives: names of its tar files, or of folders.
    """

    published: Published
    archives: Sequence[str]
    _paths: dict[str, Path] = field(default_factory=dict, init=False, repr=False)
    _used: int = field(default=0, init=False, repr=False)

    def get(self, name: str) -> Path | None:
        """Path of a recording; None where no archive has it or it is empty."""
        while name not in self._paths and self._used < len(self.archives):
            folder = self.published.unpacked(self.archives[self._used])
            self._used += 1
            self._paths.update((path.name, path) for path in folder.rglob("*.*"))
        return present(self._paths[name]) if name in self._paths else None


def present(path: Path) -> Path | None:
    """The path of a file that has something in it, else None."""
    return path if path.is_file() and path.stat().st_size else None


def facts(**values: object) -> dict[str, str]:
    """Fields to report by, without those that a corpus leaves empty."""
    return {name: str(value) for name, value in values.items() if value not in (None, "", "None")}


def transcribed(name: str, tag: str, audio: Source, text: str, group: Mapping[str, str]) -> Sample:
    """A sample of speech recognition; its id is `name/tag`."""
    part = Audio(audio, transcript=text)
    return Sample(id=f"{name}/{tag}", language=tag, parts=(part,), references=(text,), group=group)


def classified(sample: Sample, label: str, labels: Sequence[str], *, readable: bool = False) -> Sample:
    """The sample as a multiple choice among labels.

    Args:
        sample: as `transcribed` makes it.
        label: the right one.
        labels: all of them, in the published order.
        readable: whether a space is written for an underscore.

    Raises:
        UsageError: the label is not among them.
    """
    if label not in labels:
        raise UsageError(f"{sample.id}: {label!r} is none of the {len(labels)} labels ({', '.join(labels)})")
    shown = tuple(each.replace("_", " ") for each in labels) if readable else tuple(labels)
    return replace(sample, references=(), choices=shown, answer=labels.index(label))


def unique(samples: Iterable[Sample], where: str) -> Iterator[Sample]:
    """The samples as they come.

    Raises:
        UsageError: an id is there twice.
    """
    seen: set[str] = set()
    for sample in samples:
        if sample.id in seen:
            raise UsageError(f"{where}: {sample.id} is there twice; download it again, one release of it")
        seen.add(sample.id)
        yield sample


def warn(left_out: Counter[str], where: str) -> None:
    """Say how many rows were left out, and why."""
    for reason, count in sorted(left_out.items()):
        log.warning("%s: %d left out: %s", where, count, reason)
