"""ToolMMBench: which model of the Hugging Face hub does what an instruction with a picture, sound or video asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from loaders.published import Published, need
from loaders.recordings import beneath
from loaders.spoken import check
from mmbench.errors import UsageError
from mmbench.schema import Audio, Card, Image, Sample, Text, Video

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mmbench.schema import Part

FILES = {
    "combined": "combined_data",
    "audio": "audio_tx2t",
    "image": "image_tx2t",
    "text": "text_t2t",
    "video": "video_tx2t",
}
"""Splits, and the files that they are in; "combined" is what the published code is tested on."""

LANGUAGE = "eng_Latn"
_MEDIA: Mapping[str, tuple[type[Audio] | type[Image] | type[Video], str]] = {
    "image": (Image, "image/"),
    "audio": (Audio, "audio/"),
    "video": (Video, ""),  # its paths begin with video/
}


@dataclass(kw_only=True)
class ToolMMBench:
    """Instructions, each with the names of all tools that do it; the first line of an answer is its tool.

    Traps:

    - Files other than "combined" repeat an instruction once for each acceptable tool, and "combined" itself has a few
      twice, with other tools: rows with one instruction and one file are one question, and their tools are its gold
      set. Scored row by row a right answer would be right once and wrong for the rest.
    - Ids are of an input modality: `combined` has 759 of them in several. A question's id is modality and the first
      row's id.
    - " t5-base" has a space before it. `unknown`, which is a tool like others, is the right answer where none fits.
    - The published code samples (temperature 0.4) and has no scorer; the paper counts an answer as right if it is any
      of the gold set.

    Args:
        location: folder with the JSON files and `mm_dataset` (`image`, `audio`, `video`), or fixture://tool_mmbench.
        split: one of `FILES`.
        tools: whether samples know the names of all tools in the file (as choices), so that tools that do not exist
            are counted; 932 names are 30 kB in each row of predictions.jsonl.

    The layout was read from MLLM-Tool/MLLM-Tool 0114f7c, whose image_tx2t and text_t2t are not in the copy that was
    read; media folders are those of its code (T+X-T_instruction_dataset.py) and of README.
    """

    location: str = field(default="tool_mmbench", compare=False)
    split: str = "combined"
    tools: bool = True

    def __post_init__(self) -> None:
        """Check the settings."""
        check("split", self.split, tuple(FILES))

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location)

    @cached_property
    def _file(self) -> str:
        name = f"{FILES[self.split]}.json"
        return self._published.find(name, f"T+X-T_data/{name}", f"**/T+X-T_data/{name}")[0]

    @cached_property
    def _questions(self) -> dict[tuple[str, ...], list[dict[str, Any]]]:
        """Rows of each question, in the order of the file."""
        found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row in self._published.lines(self._file):
            where = f"{self._file}: row {row.get('id')}"
            paths = [str(row.get(f"{kind}_path") or "") for kind in _MEDIA]
            found.setdefault((_said(row, "human", where).strip(), *paths), []).append(row)
        return found

    def __iter__(self) -> Iterator[Sample]:
        """Yield the questions in the order of the file."""
        gold = [tuple(dict.fromkeys(name for row in rows for name in self._tools(row))) for rows in self._all]
        known = tuple(sorted({name for names in gold for name in names})) if self.tools else ()
        seen = set[str]()
        for rows, names in zip(self._all, gold, strict=True):
            sample = self._sample(rows, names, known)
            if sample.id in seen:
                raise UsageError(f"{self._file}: {sample.id} is there twice with two questions; download it again")
            seen.add(sample.id)
            yield sample

    @property
    def _all(self) -> list[list[dict[str, Any]]]:
        return list(self._questions.values())

    def _tools(self, row: dict[str, Any]) -> list[str]:
        where = f"{self._file}: row {row.get('id')}"
        said = _said(row, "gpt", where)
        names = [str(name).strip() for name in (said if isinstance(said, list) else [said])]
        if not any(names):
            raise UsageError(f"{where}: names no tool; download it again")
        return [name for name in names if name]

    def _sample(self, rows: list[dict[str, Any]], names: tuple[str, ...], known: tuple[str, ...]) -> Sample:
        first = rows[0]
        modality, where = str(need(first, "input_modality", self._file)), f"{self._file}: row {first.get('id')}"
        parts: list[Part] = []
        for kind, (part, folder) in _MEDIA.items():
            if path := str(first.get(f"{kind}_path") or ""):
                parts.append(part(beneath(self._published, self._root + folder + path, where=where)))
        if (modality != "text") != bool(parts):
            raise UsageError(f"{where}: input_modality is {modality}, but it has {len(parts)} files; download it again")
        ambiguity = {str(row.get("ambiguity", _reply(row).get("ambiguity", -1))) for row in rows}
        return Sample(
            id=f"{modality}/{need(first, 'id', where)}/{LANGUAGE}",
            language=LANGUAGE,
            parts=(*parts, Text(_said(first, "human", where).strip())),
            references=names,
            choices=known,
            group={
                "input": modality,
                "ambiguity": "+".join(sorted(ambiguity)),
                "onetomulti": "yes" if len(names) > 1 else "no",
                "known": "no" if "unknown" in names else "yes",
            },
        )

    @cached_property
    def _root(self) -> str:
        """Folder of the media files, which is beside the JSON files; on its own where those are in the location."""
        return f"{self._file.removesuffix(FILES[self.split] + '.json')}mm_dataset/"

    @property
    def count(self) -> int:
        """Number of questions."""
        return len(self._questions)

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="tool_mmbench",
            revision=self._published.described,
            content=self._published.content([self._file]),
            languages=(LANGUAGE,),
            licence="MIT; README: for research that is not commercial",
            source="https://github.com/MLLM-Tool/MLLM-Tool",
            citation="Wang et al. 2024, MLLM-Tool: A Multimodal Large Language Model For Tool Agent Learning "
            "(arXiv:2401.10727)",
        )


def _turn(row: dict[str, Any], speaker: str) -> dict[str, Any]:
    turns = row.get("conversations")
    found = [turn for turn in turns if isinstance(turn, dict)] if isinstance(turns, list) else []
    return next((turn for turn in found if turn.get("from") == speaker), {})


def _reply(row: dict[str, Any]) -> dict[str, Any]:
    return _turn(row, "gpt")


def _said(row: dict[str, Any], speaker: str, where: str) -> Any:
    said = _turn(row, speaker).get("value")
    if not said:
        raise UsageError(f"{where}: its conversation has no turn of {speaker}; download it again")
    return said
