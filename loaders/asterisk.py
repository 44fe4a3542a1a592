"""Telephone prompts of the Asterisk PBX: parallel read speech in five languages, 2 h, from Debian packages.

The prompt of one name says the same in every language, so one set of files is speech recognition, translation into
English and topic classification. English is American, Spanish Mexican, French Canadian; each language has one speaker
and 8 kHz. Spanish transcripts mostly lack accents, and a translation is at times free: `queue-quantity2` is "callers
waiting to speak with a representative" in English and "llamadas en espera" in Spanish.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections import Counter
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.schema import Audio, Card, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Task = Literal["asr", "translation", "topic"]
"""Speech recognition, speech translation into English, or the prompt's topic as a multiple choice."""

TOPICS = ("message", "conference", "password", "wait")
"""The choices of the topic task, in this order."""

ENGLISH = "eng_Latn"

_TONES = re.compile(r"silence/.*|beep|beeperr|(ascending|descending)-2tone|confbridge-(join|leave)|tt-monkeys")
# Entries whose text is not what the file of that name says; of `vm-mismatch` one sentence is not spoken.
_WRONG = {"fra_Latn": ("demo-moreinfo", "digits/h-80", "vm-mismatch"), "spa_Latn": ("vm-mismatch",)}
_EDGES = ' \t"“”…:,'  # quotes that are never closed, and the dots of prompts that numbers are put between


@dataclass(frozen=True, slots=True)
class Voice:
    """Where one language's files are, and whose they are."""

    tag: str
    _: KW_ONLY
    code: str
    folder: str
    speaker: str
    licence: str

    @property
    def packages(self) -> str:
        """Debian packages of transcripts and recordings."""
        return f"asterisk-core-sounds-{self.code} asterisk-core-sounds-{self.code}-wav"

    def transcripts(self, root: Path) -> Path:
        """File of the transcripts below `root`."""
        return root / "doc" / f"asterisk-core-sounds-{self.code}" / f"core-sounds-{self.code}.txt.gz"

    def audio(self, root: Path, prompt: str) -> Path:
        """File of a prompt below `root`."""
        return root / "asterisk" / "sounds" / self.folder / f"{prompt}.wav"


VOICES = {
    voice.tag: voice
    for voice in (
        Voice(ENGLISH, code="en", folder="en_US_f_Allison", speaker="Allison Smith", licence="CC-BY-SA-3.0"),
        Voice("spa_Latn", code="es", folder="es_MX_f_Allison", speaker="Allison Smith", licence="CC-BY-SA-3.0"),
        Voice("fra_Latn", code="fr", folder="fr_CA_f_June", speaker="June Wallack", licence="CC-BY-SA-3.0"),
        Voice("ita_Latn", code="it", folder="it_IT_m_Carlo", speaker="Carlo Flora", licence="CC-BY-3.0"),
        Voice("rus_Cyrl", code="ru", folder="ru_RU_f_IvrvoiceRU", speaker="ivrvoice.ru", licence="CC-BY-3.0"),
    )
}
"""The languages, in the order in which samples of one prompt come."""

LICENCE = "CC-BY-SA-3.0 (English, Spanish, French), CC-BY-3.0 (Italian, Russian)"


def read_transcripts(path: Path) -> dict[str, str]:
    """Transcripts as they are written, by prompt, in the order of the file.

    Lines are `prompt: transcript`, `;` begins a comment. Of two entries for one prompt the first counts: the second
    of Spanish `digits/0` says "diez".

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise UsageError(f"{path}: cannot be read ({type(error).__name__}); install its package again") from None
    transcripts: dict[str, str] = {}
    for line in text.splitlines():
        prompt, colon, words = line.partition(":")
        if colon and not line.lstrip().startswith(";"):
            transcripts.setdefault(prompt.strip(), " ".join(words.split()))
    return transcripts


def fault(prompt: str, tag: str, text: str) -> str | None:
    """Why an entry cannot be used, in a word; None where it can.

    "noise" is no speech; "broken" are two entries in one line, accents that became question marks, and texts that
    are of another prompt; "remark" has something in brackets of which it is not known whether it is said.
    """
    if _TONES.fullmatch(prompt) or re.fullmatch(r"\[.*\]|\(.*\)|<.*>", text):
        return "noise"
    glued = re.search(r"(?<![\w-])[a-z]+-[a-z0-9-]+:|\?\s+[a-zà-ÿ]|\w\?\w", text)
    if not text.strip(_EDGES + ".") or glued or prompt in _WRONG.get(tag, ()):
        return "broken"
    return "remark" if re.search(r"[\[\]()<>]", text) else None


def words(text: str) -> str:
    """A transcript without the quotes and the dots of an unfinished sentence around it; a full stop stays."""
    inner = text.strip(_EDGES)
    inner = re.sub(r"^\.+|\.{2,}$", "", inner)
    return inner.strip(_EDGES) if inner != text else text


def make_sample(
    task: str, prompt: str, voice: Voice, audio: Path, texts: Mapping[str, str], topic: str | None = None
) -> Sample | None:
    """The sample of one recording, or None where the task has none: English is not translated into itself.

    Args:
        task: one of `Task`.
        prompt: name of the prompt, the same in each language.
        voice: language and speaker of the recording.
        audio: file of the recording.
        texts: transcripts of the prompt by language tag.
        topic: one of `TOPICS`; needed for the topic task.
    """
    part = Audio(audio, transcript=texts[voice.tag])
    group = {"prompt": prompt, "speaker": voice.speaker} | ({"topic": topic} if topic else {})
    name = f"{prompt}/{voice.tag}"
    if task == "topic":
        if topic is None:
            return None
        answer = TOPICS.index(topic)
        return Sample(id=name, language=voice.tag, parts=(part,), choices=TOPICS, answer=answer, group=group)
    if task == "asr":
        return Sample(id=name, language=voice.tag, parts=(part,), references=(texts[voice.tag],), group=group)
    if voice.tag == ENGLISH or ENGLISH not in texts:
        return None
    return Sample(
        id=name,
        language=voice.tag,
        parts=(part,),
        references=(texts[ENGLISH],),
        target_language=ENGLISH,
        group=group,
    )


def select(task: str, languages: Sequence[str] | None) -> tuple[Voice, ...]:
    """Check a loader's settings; the voices of the languages, all for None, in the order of `VOICES`.

    Raises:
        UsageError: the task or a language is not one of the dataset's.
    """
    if task not in get_args(Task):
        raise UsageError(f"task={task!r} is not known: give one of {', '.join(get_args(Task))}")
    codes = [languages] if isinstance(languages, str) else languages
    wanted = set(VOICES) if codes is None else {tag(code) for code in codes}
    if unknown := sorted(wanted - set(VOICES)):
        raise UsageError(f"languages: {', '.join(unknown)} not in the dataset, which has {', '.join(VOICES)}")
    return tuple(voice for name, voice in VOICES.items() if name in wanted)


def read_topics(path: Path, split: str | None = None) -> dict[str, str]:
    """Topics by prompt from a table with columns split, topic and prompt; of one split, or of all.

    Raises:
        UsageError: the file cannot be read, is not such a table, or has no row of the split.
    """
    try:
        header, *rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise UsageError(f"topics={path}: cannot be read ({type(error).__name__}); give a table of topics") from None
    if header != ["split", "topic", "prompt"] or any(len(row) != 3 or row[1] not in TOPICS for row in rows):
        raise UsageError(f"topics={path}: columns split, topic ({', '.join(TOPICS)}) and prompt are needed")
    topics = {prompt: topic for part, topic, prompt in rows if split in (None, part)}
    if not topics:
        raise UsageError(f"split={split!r}: not in {path}")
    return topics


@dataclass(kw_only=True)
class Asterisk:
    """The prompts of the installed Debian packages.

    Args:
        root: folder with `asterisk/sounds` and `doc`; another one where the packages were unpacked by `dpkg -x`.
        languages: codes of the languages, any spelling; None for all five.
        task: one of `Task`.
        topics: table with columns split, topic and prompt, such as scripts/voice_prompts.tsv: leaves only its
            prompts. Needed for the topic task.
        split: leaves only this split of the table.
    """

    root: str = field(default="/usr/share", compare=False)
    languages: Sequence[str] | None = field(default=None, compare=False)
    task: Task = "asr"
    topics: str | None = None
    split: str | None = None

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        select(self.task, self.languages)
        if self.topics is None and (self.task == "topic" or self.split is not None):
            raise UsageError("task=topic and split need topics=FILE, such as scripts/voice_prompts.tsv")

    def read(self) -> tuple[dict[str, dict[str, str]], Counter[str]]:
        """Transcripts by language and prompt of what can be used; how many entries cannot, by `fault` or "no audio".

        Raises:
            UsageError: packages are not installed.
        """
        root = Path(self.root)
        voices = select(self.task, self.languages)
        english = (VOICES[ENGLISH],) if self.task == "translation" and VOICES[ENGLISH] not in voices else ()
        missing = [
            voice.packages
            for voice in voices + english
            if not (voice.transcripts(root).is_file() and voice.audio(root, "hello-world").parent.is_dir())
        ]
        if missing:
            raise UsageError(
                f"no Asterisk prompts in {root}: sudo apt-get install {' '.join(missing)} (where dpkg leaves out "
                f"{root / 'doc'}, as in slim images: apt-get download, dpkg -x each FOLDER and root=FOLDER/usr/share)"
            )
        texts: dict[str, dict[str, str]] = {}
        skipped: Counter[str] = Counter()
        for voice in voices + english:
            texts[voice.tag] = {}
            for prompt, text in sorted(read_transcripts(voice.transcripts(root)).items()):
                file = voice.audio(root, prompt)
                if reason := fault(prompt, voice.tag, text):
                    skipped[reason] += 1
                elif not file.is_file() or file.stat().st_size <= 44:  # Russian `is` is a header without samples
                    skipped["no audio"] += 1
                else:
                    texts[voice.tag][prompt] = words(text)
        return texts, skipped

    def _recordings(self) -> Iterator[tuple[str, Voice, dict[str, str], str | None]]:
        """Prompt, voice, transcripts by language and topic of what the settings leave, sorted by prompt."""
        texts, _ = self.read()
        topics = read_topics(Path(self.topics), self.split) if self.topics else {}
        for prompt in sorted({prompt for known in texts.values() for prompt in known}):
            same = {name: known[prompt] for name, known in texts.items() if prompt in known}
            for voice in select(self.task, self.languages):
                if voice.tag in same and (prompt in topics or not self.topics):
                    yield prompt, voice, same, topics.get(prompt)

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples, sorted by prompt."""
        for prompt, voice, texts, topic in self._recordings():
            file = voice.audio(Path(self.root), prompt)
            if sample := make_sample(self.task, prompt, voice, file, texts, topic):
                yield sample

    @property
    def count(self) -> int:
        """Number of samples."""
        return sum(1 for _ in self)

    @property
    def card(self) -> Card:
        """Identity and terms; the content hash is of ids, transcripts, topics and file sizes."""
        root, voices = Path(self.root), select(self.task, self.languages)
        rows = sorted(
            f"{prompt}/{voice.tag}\t{texts[voice.tag]}\t{topic}\t{voice.audio(root, prompt).stat().st_size}\n"
            for prompt, voice, texts, topic in self._recordings()
        )
        versions = sorted({package_version(root, voice) for voice in voices})
        return Card(
            name="asterisk",
            revision=f"asterisk-core-sounds {' '.join(versions)}",
            content=hashlib.sha256("".join(rows).encode()).hexdigest(),
            languages=tuple(voice.tag for voice in voices),
            licence=LICENCE,
            source="Debian packages asterisk-core-sounds-{en,es,fr,it,ru} and -wav; http://downloads.asterisk.org",
            citation="Asterisk core sounds, recorded by Allison Smith, June Wallack, Carlo Flora and ivrvoice.ru",
        )


def package_version(root: Path, voice: Voice) -> str:
    """Version of a language's package as its changelog says, which a package that was only unpacked has as well."""
    path = voice.transcripts(root).with_name("changelog.Debian.gz")
    try:
        found = re.match(r"\S+ \(([^)]+)\)", gzip.decompress(path.read_bytes()).decode("utf-8"))
    except (OSError, ValueError, EOFError):
        return "unknown"
    return found[1] if found else "unknown"
