"""VietMed: Vietnamese telephone-band speech about medicine, 16 h in three splits; the public successor of HYKIST.

Layout: repository leduckhai/MultiMed, VietMed/data_dump/vietmed_corpus_SPLIT_v1.xml (RASR corpus), recordings in
Audio_8kHz_wav of the archive that its README names.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, TYPE_CHECKING, cast
from xml.etree import ElementTree

from loaders.published import Published
from loaders.recordings import beneath
from loaders.spoken import check, only, usable
from mmbench.errors import UsageError
from mmbench.schema import Audio, Card, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

VIETNAMESE = "vie_Latn"

_SPLITS = ("train", "dev", "test")


@dataclass(kw_only=True)
class VietMed:
    """Segments of the corpus; each is a window on a longer recording at 8 kHz.

    - Times are whole seconds, so a word may be cut at either end of a segment.
    - Two speakers of one recording are two `recording` entries with the same file; ids are names of segments.
    - References are lower case and have no punctuation; they are kept so, and the published scores are sclite's. A
      normaliser that lowers and strips both sides compares like that.
    - What the repository calls WER of MultiMed spaces out characters first, so it is a rate of characters.
    - Models at 16 kHz get audio that was sampled up: half their band is empty.

    Args:
        location: folder with the XML files and the recordings.
        languages: only Vietnamese is there.
        split: train, dev or test (13, 21 and 27 recordings, 2,858, 2,912 and 3,437 segments).
    """

    location: str = field(compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        only(self.languages, [VIETNAMESE])
        check("split", self.split, _SPLITS)

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location)

    @property
    def _corpus(self) -> str:
        name = f"vietmed_corpus_{self.split}_v1.xml"
        return self._published.find(f"**/{name}", f"**/{name}.gz")[0]

    def __iter__(self) -> Iterator[Sample]:
        """Yield the segments in the order of the corpus, which is read as a stream.

        Raises:
            UsageError: the corpus is damaged, a recording is missing, or two segments have one name.
        """
        path = self._published.path(self._corpus)
        return usable(self._segments(path), f"{path}")

    def _segments(self, path: Path) -> Iterator[Sample]:
        recording, audio = "", None
        speaker: dict[str, str] = {}
        for element, ended in _elements(path):
            if element.tag == "recording" and not ended:
                recording, audio = element.get("name", ""), None
                source = element.get("audio", "")
                audio = beneath(self._published, source, where=f"{path}: recording {recording}")
                speaker = {}
            elif element.tag == "speaker-description" and ended:
                speaker = {child.tag: (child.text or "").strip() for child in element}
            elif element.tag == "segment" and ended:
                if audio is None:
                    raise UsageError(f"{path}: segment {element.get('name')} is in no recording; download it again")
                yield _sample(element, audio, recording, speaker, path)
            if ended and element.tag in ("segment", "recording", "subcorpus"):
                element.clear()  # else the whole tree stays in memory

    def validate(self) -> None:
        """Read the corpus and find its recordings; the UsageError names what is wrong."""
        for _ in self:
            pass

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="vietmed",
            revision=self._published.described,
            content=self._published.content([self._corpus]),
            languages=(VIETNAMESE,),
            licence="see the dataset card; the repository names none",
            source="https://github.com/leduckhai/MultiMed/tree/master/VietMed",
            citation="Le-Duc 2024, VietMed, LREC-COLING, pages 17365-17370, arXiv:2404.05659",
        )


def _elements(path: Path) -> Iterator[tuple[ElementTree.Element, bool]]:
    """Elements of an XML file as they begin (False) and end (True)."""
    with cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb") as handle:
        try:
            for event, element in ElementTree.iterparse(handle, events=("start", "end")):
                yield element, event == "end"
        except (ElementTree.ParseError, EOFError, OSError) as error:
            raise UsageError(f"{path}: damaged ({error}); download it again") from None


def _sample(element: ElementTree.Element, audio: Path, recording: str, described: dict[str, str], path: Path) -> Sample:
    name, said = element.get("name", ""), (element.findtext("orth") or "").strip()
    try:
        start, end = float(element.attrib["start"]), float(element.attrib["end"])
    except (KeyError, ValueError):
        start, end = 0.0, 0.0
    if not 0 <= start < end < float("inf"):
        raise UsageError(f"{path}: segment {name}: start and end must be seconds, in this order; download it again")
    speaker = element.find("speaker")
    group = {"recording": recording, "speaker": recording if speaker is None else speaker.get("name", recording)}
    known = {key: value for key, value in described.items() if value and value != "notgiven"}
    return Sample(
        id=f"{name}/{VIETNAMESE}",
        language=VIETNAMESE,
        parts=(Audio(audio, start=start, end=end, transcript=said),),
        references=(said,),
        group={**known, **group},
    )
