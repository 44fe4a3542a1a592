"""Belebele-Fleurs: questions about passages that are read aloud sentence by sentence, in 92 languages."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from loaders.published import Published, need
from loaders.sib_fleurs import CITATION, HYPOTHESES, Input, Take, choose, files_of, local_rows, spoken, takes
from loaders.spoken import check
from mmbench.errors import UsageError
from mmbench.schema import Audio, Card, Joined, Part, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Recordings = Literal["first", "seeded_random", "best_cer", "worst_cer"]
"""Which recording of each sentence is heard. All of them cannot be: it is one passage, read once."""

Passage = Literal["joined", "sentences"]
"""Whether the passage is one recording, or one for each sentence."""


@dataclass(kw_only=True)
class BelebeleFleurs:
    """Belebele's multiple choice about a FLORES passage, with the recordings of FLEURS for its sentences.

    The parts are the passage, joined or sentence by sentence, and the question as text; the choices are text. The
    transcript is that of the sentences in their order. Traps:

    - The published order of the sentences is that of the alphabet: here they are sorted by `id`.
    - The sentences of one passage come from other speakers and other splits of FLEURS, although the split is called
      test: the group field `split` names them all ("test+train"); a system fine-tuned on FLEURS knows those with train.
    - Languages have 81 (isl_Latn) to 896 (hrv_Latn) of the 900 questions: a mean over languages is none over questions.
    - `correct_answer_num` is text, "1" to "4".
    - Passages last long: set the model's `long_audio`.
    - SeamlessM4T's texts of npi_Deva are shifted in the sentences of FLEURS train; the config zho_Hant is read in
      Cantonese (see `SibFleurs`).

    Args:
        location: the repository on the hub, a folder with its files, or fixture://belebele_fleurs.
        revision: commit on the hub.
        languages: codes, any spelling; None for all that have files.
        input: speech, or text for the transcript in its place; ids and questions are the same.
        recordings: one of `Recordings`.
        passage: one of `Passage`.
        gap: seconds of silence between joined sentences; the field joins them without any.
        cer_of: whisper or seamlessm4t, for best_cer and worst_cer.
        seed: for seeded_random.

    The layout is that of the dataset card of WueNLP/belebele-fleurs and of scripts/align-flores-fleurs-and-belebele.py
    in fdschmidt93/fleurs-slu.
    """

    location: str = field(default="WueNLP/belebele-fleurs", compare=False)
    revision: str | None = field(default=None, compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    input: Input = "speech"
    recordings: Recordings = "first"
    passage: Passage = "joined"
    gap: float = 0.0
    cer_of: str = "whisper"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("input", self.input, get_args(Input))
        check("recordings", self.recordings, get_args(Recordings))
        check("passage", self.passage, get_args(Passage))
        check("cer_of", self.cer_of, ("whisper", "seamlessm4t"))
        if not 0 <= self.gap <= 60:
            raise UsageError(f"gap={self.gap:g}: it is in seconds, from 0 to 60")

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location, revision=self.revision)

    @cached_property
    def _files(self) -> dict[str, tuple[str, ...]]:
        return files_of(self._published, "test", self.languages)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples language by language, in the order of the files."""
        for tag, files in self._files.items():
            seen: set[str] = set()
            for row in self._published.parquet(files):
                item = f"{need(row, 'link', files[0])}#{need(row, 'question_number', files[0])}"
                if item in seen:
                    raise UsageError(f"{files[0]}: {item} is there twice; download it again")
                seen.add(item)
                yield self._sample(tag, row, item)

    def _sample(self, tag: str, row: Mapping[str, Any], item: str) -> Sample:
        where = f"{item}/{tag}"
        choices = tuple(str(need(row, f"mc_answer{number}", where)) for number in (1, 2, 3, 4))
        number = str(need(row, "correct_answer_num", where))
        if number not in ("1", "2", "3", "4"):
            raise UsageError(f"{where}: correct_answer_num {number!r} is none of 1 to 4; download it again")
        texts, heard, splits = self._sentences(row, where)
        question = Text(f"\n\n{need(row, 'question', where)}")
        return Sample(
            id=where,
            language=tag,
            parts=(*self._passage(texts, heard), question),
            choices=choices,
            answer=int(number) - 1,
            source_language=spoken(tag),
            group={
                "item": item,
                "document": str(row["link"]),
                "split": "+".join(sorted(splits)),
                "sentences": str(len(texts)),
            },
        )

    def _sentences(self, row: Mapping[str, Any], where: str) -> tuple[list[str], list[Take], set[str]]:
        """Texts in the order of the passage, the recording of each, and the splits of all recordings of them."""
        sentences = sorted(need(row, "sentence_data", where), key=lambda sentence: int(need(sentence, "id", where)))
        ids = [sentence["id"] for sentence in sentences]
        if not ids or len(set(ids)) < len(ids):
            raise UsageError(f"{where}: has no sentences, or one twice (ids {ids}); download it again")
        texts, heard, splits = list[str](), list[Take](), set[str]()
        for sentence in sentences:
            name = f"{where}, sentence {sentence['id']}"
            if sentence.get("full_paragraph") is False:
                raise UsageError(f"{name}: is of a passage that is not recorded as a whole; download it again")
            found = takes(sentence, name)
            heard += choose(found, self.recordings, cer_of=self.cer_of, seed=self.seed, where=name)
            texts.append(str(need(sentence, "sentence", name)).strip())
            splits |= {take.split for take in found}
        return texts, heard, splits

    def _passage(self, texts: Sequence[str], heard: Sequence[Take]) -> tuple[Part, ...]:
        if self.input == "text":
            return (Text(" ".join(texts)),)
        if self.passage == "sentences":
            return tuple(
                Audio(take.audio, transcript=text, hypotheses=tuple(take.hypotheses.items()))
                for text, take in zip(texts, heard, strict=True)
            )
        systems = [name for name in HYPOTHESES if all(name in take.hypotheses for take in heard)]
        said = tuple((name, " ".join(take.hypotheses[name] for take in heard)) for name in systems)
        source = Joined(tuple(take.audio for take in heard), gap=self.gap)
        return (Audio(source, transcript=" ".join(texts), hypotheses=said),)

    @property
    def count(self) -> int | None:
        """Number of samples, where that is known without reading the recordings."""
        return local_rows(self._published, self._files)

    @property
    def card(self) -> Card:
        """Identity and terms."""
        return Card(
            name="belebele_fleurs",
            revision=self._published.described,
            content=self._published.content([name for files in self._files.values() for name in files]),
            languages=tuple(self._files),
            licence="CC-BY-SA-4.0",
            source="https://huggingface.co/datasets/WueNLP/belebele-fleurs",
            citation=f"{CITATION} (arXiv:2501.06117); Belebele (arXiv:2308.16884); FLEURS (arXiv:2205.12446)",
        )
