"""SIB-Fleurs: the topic of a spoken sentence, in 102 languages.

Also what Belebele-Fleurs shares with it: a sentence has several recordings, and lists side by side tell of each.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.published import Published, need, recording, stem
from loaders.spoken import by_language, check
from mmbench.errors import UsageError
from mmbench.schema import Audio, Card, Part, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Task = Literal["topic", "asr"]
"""Topic of the sentence as a multiple choice, or speech recognition."""

Input = Literal["speech", "text"]
"""What the model gets: the recording, or in its place the transcript (the text side of the same item, as in mSTEB)."""

Recordings = Literal["first", "all", "seeded_random", "best_cer", "worst_cer"]
"""Which of a sentence's recordings are asked about."""

LABELS = ("science/technology", "travel", "politics", "sports", "health", "entertainment", "geography")
"""The topics of SIB-200 in the order of the published ClassLabel."""

HYPOTHESES = {
    "whisper": "whisper_asr",
    "whisper_translation": "whisper_asr_translation",
    "seamlessm4t": "seamlessm4t_asr",
    "seamlessm4t_translation": "seamlessm4t_asr_translation",
}
"""Names of the published system outputs, as `Audio.hypotheses` has them, and the columns that they are from."""

_SPOKEN = {"zho_Hant": "yue_Hant"}
CITATION = "Schmidt et al. 2025, Fleurs-SLU: A Massively Multilingual Benchmark for Spoken Language Understanding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One recording of a sentence.

    Args:
        audio: the encoded file.
        file: its name.
        speaker: id of the speaker.
        gender: of the speaker.
        split: of FLEURS, where the data say it.
        hypotheses: what systems said of it, by their names in `HYPOTHESES`.
        cers: character error rates of the published transcripts, by system.
    """

    audio: bytes
    file: str
    speaker: str
    gender: str
    split: str
    hypotheses: Mapping[str, str]
    cers: Mapping[str, float]


def takes(row: Mapping[str, Any], where: str) -> list[Take]:
    """The recordings of a row of parallel lists.

    Raises:
        UsageError: there is none, the lists differ in length, a recording is empty or there twice.
    """
    audio = need(row, "audio", where)
    said = {column: row[column] for column in HYPOTHESES.values() if row.get(column) is not None}
    rates = {system: row[f"{system}_asr_cer"] for system in HYPOTHESES if row.get(f"{system}_asr_cer") is not None}
    lists = {name: need(row, name, where) for name in ("filename", "speaker_id", "gender")}
    lists |= {"split": row["split"]} if row.get("split") is not None else {}
    for name, values in {**lists, **said, **rates}.items():
        if len(values) != len(audio):
            raise UsageError(f"{where}: {len(audio)} recordings, but {name} has {len(values)}; download it again")
    if not audio:
        raise UsageError(f"{where}: has no recording; download the dataset again")
    if len(set(lists["filename"])) < len(audio):
        raise UsageError(f"{where}: a recording is there twice ({', '.join(lists['filename'])}); download it again")
    systems = {name: said[column] for name, column in HYPOTHESES.items() if column in said}
    return [
        Take(
            audio=recording(audio[i], f"{where}, {lists['filename'][i]}"),
            file=str(lists["filename"][i]),
            speaker=str(lists["speaker_id"][i]),
            gender=str(lists["gender"][i]).lower(),
            split=str(lists["split"][i]) if "split" in lists else "",
            hypotheses={name: texts[i] for name, texts in systems.items() if texts[i] is not None},
            cers={system: float(values[i]) for system, values in rates.items() if values[i] is not None},
        )
        for i in range(len(audio))
    ]


def choose(found: Sequence[Take], policy: str, *, cer_of: str, seed: int, where: str) -> Sequence[Take]:
    """The recordings that a policy picks; of equal error rates the first.

    Args:
        found: of one sentence, in the published order.
        policy: one of `Recordings`.
        cer_of: the system whose published error rates decide, for best_cer and worst_cer.
        seed: for seeded_random, together with `where`.
        where: identity of the sentence.

    Raises:
        UsageError: an error rate is not known.
    """
    if policy == "all":
        return found
    if policy == "seeded_random":
        digest = hashlib.sha256(f"{seed} {where}".encode()).digest()
        return [found[int.from_bytes(digest[:8]) % len(found)]]
    if policy == "first":
        return [found[0]]
    rates = [take.cers.get(cer_of, math.nan) for take in found]
    if any(map(math.isnan, rates)):
        raise UsageError(f"{where}: recordings={policy} needs {cer_of}_asr_cer of each recording; use recordings=first")
    return [found[rates.index(min(rates) if policy == "best_cer" else max(rates))]]


def files_of(published: Published, split: str, languages: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    """Parquet files of a split by language tag, in the order of the tags.

    Raises:
        UsageError: there are none, or none of a language that is asked for.
    """
    pattern = f"data/*/{split}-*.parquet"
    found: dict[str, tuple[str, ...]] = {}
    for name in published.find(pattern, f"*/{split}-*.parquet", f"*/{split}/*.parquet"):
        config = PurePosixPath(name).parts[1 if name.startswith("data/") else 0]
        found[config] = (*found.get(config, ()), name)
    where = f"{published.location}: {pattern}"
    return {tag: found[config] for config, tag in by_language(found, languages, where=where)}


def spoken(tag: str) -> str | None:
    """The language that is spoken in a config, where that is not the one it is named after.

    The config zho_Hant is FLEURS yue_hant_hk: Cantonese speakers read the FLORES sentences in traditional characters.
    """
    return _SPOKEN.get(tag)


def local_rows(published: Published, files: Mapping[str, Sequence[str]]) -> int | None:
    """Number of rows, from the footers of the files; None on the hub, where nothing is downloaded to count."""
    if published.folder is None:
        return None
    from pyarrow.parquet import read_metadata

    return sum(int(read_metadata(published.path(name)).num_rows) for names in files.values() for name in names)


@dataclass(kw_only=True)
class SibFleurs:
    """SIB-200's topics of FLORES sentences, with the recordings of FLEURS.

    The question is the sentence (`index_id`, shared by the languages), and `recordings` says which of its one to three
    recordings are asked: `all` makes one sample of each, which the group field `sentence` joins (`scorer: majority`
    takes a vote of them). The transcript is `sentence`, the FLORES text that the published error rates are of; the
    reader's own text, `raw_transcription`, may differ from it by up to three characters. Traps:

    - The reference code's "best recording by CER" is the arg min of a column's name, and so always the first one:
      `first` is what it does, `best_cer` what it means.
    - SeamlessM4T's texts of npi_Deva in `train` are shifted by a recording (CER 0.93, elsewhere 0.11): do not use them
      there, nor cer_of=seamlessm4t.
    - The published error rates compare the text as it is, case and punctuation too, and average over recordings; a
      word error rate of tha, jpn, lao, khm, mya or zho says nothing.
    - Splits are those of FLEURS, not of SIB-200: do not compare with text results on SIB-200's own test split.
    - The config zho_Hant is read in Cantonese: its samples are spoken yue_Hant.

    Args:
        location: the repository on the hub, a folder with its files, or fixture://sib_fleurs.
        revision: commit on the hub.
        languages: codes, any spelling; None for all that have files.
        split: train, validation or test.
        task: one of `Task`.
        input: one of `Input`; ids and questions are the same for both, so that answers pair.
        recordings: one of `Recordings`.
        cer_of: whisper or seamlessm4t, for best_cer and worst_cer.
        seed: for seeded_random.

    The layout is that of the dataset card of WueNLP/sib-fleurs and of scripts/align-sib-fleurs.py in
    fdschmidt93/fleurs-slu.
    """

    location: str = field(default="WueNLP/sib-fleurs", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    split: str = "test"
    task: Task = "topic"
    input: Input = "speech"
    recordings: Recordings = "first"
    cer_of: str = "whisper"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("task", self.task, get_args(Task))
        check("input", self.input, get_args(Input))
        check("recordings", self.recordings, get_args(Recordings))
        check("cer_of", self.cer_of, ("whisper", "seamlessm4t"))
        if self.task == "asr" and self.input == "text":
            raise UsageError("input=text: of speech recognition the transcript is the answer; use task=topic")

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> dict[str, tuple[str, ...]]:
        return files_of(self._published, self.split, self.languages)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples language by language, in the order of the files."""
        for tag, files in self._files.items():
            labels = self._published.labels(files, "category") or LABELS
            seen: set[str] = set()
            for row in self._published.parquet(files):
                sentence = str(need(row, "index_id", f"{files[0]}, sentence {row.get('sentence')!r}"))
                if sentence in seen:
                    raise UsageError(f"{files[0]}: index_id {sentence} is there twice; download it again")
                seen.add(sentence)
                yield from self._samples(tag, row, labels, f"{files[0]}, index_id {sentence}")

    def _samples(self, tag: str, row: Mapping[str, Any], labels: Sequence[str], where: str) -> Iterator[Sample]:
        text, sentence = str(need(row, "sentence", where)), str(row["index_id"])
        label = _label(need(row, "category", where), labels, where)
        known = takes(row, where)
        picked = choose(known, self.recordings, cer_of=self.cer_of, seed=self.seed, where=f"{sentence}/{tag}")
        topic = self.task == "topic"
        for take in picked:
            part: Part = Audio(take.audio, transcript=text, hypotheses=tuple(take.hypotheses.items()))
            yield Sample(
                id=f"{sentence}/{tag}" + (f"/{stem(take.file)}" if self.recordings == "all" else ""),
                language=tag,
                parts=(part if self.input == "speech" else Text(text),),
                references=() if topic else (text,),
                choices=tuple(labels) if topic else (),
                answer=label if topic else None,
                source_language=spoken(tag),
                group={
                    "sentence": sentence,
                    "document": str(row.get("URL") or sentence),
                    "category": labels[label],
                    "speaker": take.speaker,
                    "gender": take.gender,
                    "recording": take.file,
                },
            )

    @property
    def count(self) -> int | None:
        """Number of samples, where that is known without reading the recordings."""
        return None if self.recordings == "all" else local_rows(self._published, self._files)

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="sib_fleurs",
            revision=self._published.described,
            content=self._published.content([name for files in self._files.values() for name in files]),
            languages=tuple(self._files),
            licence="CC-BY-SA-4.0",
            source="https://huggingface.co/datasets/WueNLP/sib-fleurs",
            citation=f"{CITATION} (arXiv:2501.06117); SIB-200 (arXiv:2309.07445); FLEURS (arXiv:2205.12446)",
        )


def _label(value: object, labels: Sequence[str], where: str) -> int:
    if isinstance(value, str) and value in labels:
        return labels.index(value)
    if isinstance(value, int) and 0 <= value < len(labels):
        return value
    raise UsageError(f"{where}: category {value!r} is none of {', '.join(labels)}; download it again")
