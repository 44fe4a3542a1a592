"""What loaders of published speech share: settings, the languages that are asked for, and samples of a row."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from mmbench import languages as codes
from mmbench.errors import UsageError
from mmbench.schema import Audio, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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


def wanted_tags(languages: Sequence[str] | str | None, tag: Callable[[str], str] = codes.tag) -> frozenset[str] | None:
    """Tags of the languages that are asked for, in any spelling; None is all."""
    if languages is None:
        return None
    return frozenset(tag(code) for code in ([languages] if isinstance(languages, str) else languages))


def only(languages: Sequence[str] | str | None, known: Iterable[str]) -> tuple[str, ...]:
    """Those of the `known` tags that are asked for, in the order of `known`; all for None.

    Raises:
        UsageError: one that is asked for is not known; the message names those that are.
    """
    known, wanted = tuple(known), wanted_tags(languages)
    if unknown := sorted((wanted or set()) - set(known)):
        raise UsageError(f"languages: {', '.join(unknown)} not in the dataset, which has {', '.join(known)}")
    return tuple(name for name in known if wanted is None or name in wanted)


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
    wanted, pairs = wanted_tags(languages, tag), []
    for code in sorted(set(found)):
        try:
            pairs.append((tag(code), code))
        except UsageError as error:
            log.warning("%s: %s left out: %s", where, code, error)
    if missing := sorted((wanted or set()) - {name for name, _ in pairs}):
        known = ", ".join(sorted({name for name, _ in pairs})) or "none"
        raise UsageError(f"{where}: no files of {', '.join(missing)}; there are {known}")
    return tuple((code, name) for name, code in sorted(pairs) if wanted is None or name in wanted)


def by_folder(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Files by the first folder of their names, in their order."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        folder = name.split("/")[0]
        found[folder] = (*found.get(folder, ()), name)
    return found


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


def usable(samples: Iterable[Sample], where: str) -> Iterator[Sample]:
    """The samples as they come; those whose only references are empty are left out, and counted in a warning.

    Raises:
        UsageError: an id is there twice.
    """
    seen, left_out = set[str](), Counter[str]()
    for sample in samples:
        if sample.id in seen:
            raise UsageError(f"{where}: {sample.id} is there twice; download it again, one release of it")
        seen.add(sample.id)
        if sample.references and not any(text.strip() for text in sample.references):
            left_out["no text to compare with"] += 1
        else:
            yield sample
    warn(left_out, where)


def warn(left_out: Counter[str], where: str) -> None:
    """Say how many rows were left out, and why."""
    for reason, count in sorted(left_out.items()):
        log.warning("%s: %d left out: %s", where, count, reason)
