from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import soundfile

from loaders.asterisk import VOICES, Asterisk, fault, package_version, read_transcripts, words
from mmbench.errors import UsageError
from mmbench.schema import Audio

ENGLISH = """\
; Core sounds: a comment with a colon

added: Added.
hello-world: Hello   world.
beep: a simple beep tone
ascending-2tone: [ascending tones]
followme/status: I will try to locate them: hold on
only-here: Only here.
wait: wait for ...
"""
FRENCH = """\
\ufeff; Core sounds in French
added: ajouté
added: pas ajouté
  ; an indented comment: here
hello-world: "Salut tout le monde"
gone: Il n'y a pas de fichier.
glued: Appuyez sur dièse.vm-review-nonurgent: Pour enlever ce message.
vm-own: vm-own: Bonjour.
mojibake: La conference ? pleine.
empty:
header: Rien.
remark: Bonjour (emphase)
demo-moreinfo: Ce message n'a pas encore été écrit.
followme/status: je vais tenter de la localiser
no colon here
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for language, text, absent in (("eng_Latn", ENGLISH, ()), ("fra_Latn", FRENCH, ("gone",))):
        voice = VOICES[language]
        path = voice.transcripts(tmp_path)
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(text.encode()))
        path.with_name("changelog.Debian.gz").write_bytes(gzip.compress(b"asterisk-core-sounds (9.1-2) unstable; x\n"))
        for prompt in set(read_transcripts(path)) - set(absent):
            wav = voice.audio(tmp_path, prompt)
            wav.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(wav, np.zeros(0 if prompt == "header" else 800, np.int16), 8000)
    return tmp_path


def test_read_transcripts(root: Path) -> None:
    french = read_transcripts(VOICES["fra_Latn"].transcripts(root))
    assert next(iter(french)) == "added" and french["added"] == "ajouté"
    assert "no colon here" not in french and not [prompt for prompt in french if ";" in prompt]
    english = read_transcripts(VOICES["eng_Latn"].transcripts(root))
    assert english["hello-world"] == "Hello world."
    assert english["followme/status"] == "I will try to locate them: hold on"


def test_read_transcripts_plain_and_damaged(tmp_path: Path) -> None:
    plain, damaged = tmp_path / "a.txt", tmp_path / "b.txt.gz"
    plain.write_text("a: b\n", encoding="utf-8")
    damaged.write_bytes(gzip.compress(b"a: b\n" * 99)[:-12])
    assert read_transcripts(plain) == {"a": "b"}
    for path in (damaged, tmp_path / "none"):
        with pytest.raises(UsageError, match="cannot be read"):
            read_transcripts(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[ascending tones]", "noise"),
        ("<beep ascending>", "noise"),
        ("(10 seconds of silence)", "noise"),
        ("", "broken"),
        ("...", "broken"),
        ("poi vm-then-pound: poi premere cancelletto", "broken"),
        ("non pu? essere", "broken"),
        ("at [@]", "remark"),
        ('Login incorrect. Mailbox? "Yes"', None),
        ("Désolé: à plus", None),
    ],
)
def test_fault(text: str, reason: str | None) -> None:
    assert fault("prompt", "eng_Latn", text) == reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("...has left the conference.", "has left the conference."),
        ("Ci sono attualmente...", "Ci sono attualmente"),
        ('... des autres participants..."', "des autres participants"),
        ('suivi du dièse."', "suivi du dièse."),
        ("… utilizzando la Z.", "utilizzando la Z."),
        ("se décrit comme::", "se décrit comme"),
        ("Added.", "Added."),
        ("«Эхо-тест» завершён.", "«Эхо-тест» завершён."),
    ],
)
def test_words(text: str, said: str) -> None:
    assert words(text) == said


def test_asr(root: Path) -> None:
    loader = Asterisk(root=str(root), languages=["en", "fr"])
    samples = list(loader)
    assert [sample.id for sample in samples] == [
        "added/eng_Latn",
        "added/fra_Latn",
        "followme/status/eng_Latn",
        "followme/status/fra_Latn",
        "hello-world/eng_Latn",
        "hello-world/fra_Latn",
        "only-here/eng_Latn",
        "wait/eng_Latn",
    ]
    hello = samples[5]
    assert hello.references == ("Salut tout le monde",) and hello.transcript == "Salut tout le monde"
    assert hello.group == {"prompt": "hello-world", "speaker": "June Wallack"}
    part = hello.parts[0]
    assert isinstance(part, Audio) and isinstance(part.source, Path) and part.source.is_file()
    _, skipped = loader.read()
    assert skipped == {"noise": 2, "broken": 5, "no audio": 2, "remark": 1}


def test_translation(root: Path) -> None:
    samples = list(Asterisk(root=str(root), languages=["fr"], task="translation"))
    assert [sample.group["prompt"] for sample in samples] == ["added", "followme/status", "hello-world"]
    assert samples[0].references == ("Added.",) and samples[0].transcript == "ajouté"
    assert samples[0].language == "fra_Latn" and samples[0].target_language == "eng_Latn"


def test_topic(root: Path, tmp_path: Path) -> None:
    table = tmp_path / "topics.tsv"
    table.write_text("split\ttopic\tprompt\ntest\twait\tadded\ntrain\tmessage\thello-world\n", encoding="utf-8")
    loader = Asterisk(root=str(root), languages=["fr"], task="topic", topics=str(table), split="train")
    (sample,) = loader
    assert sample.id == "hello-world/fra_Latn" and sample.answer == 0 and sample.group["topic"] == "message"
    both = Asterisk(root=str(root), languages=["fr"], topics=str(table))
    assert len(list(both)) == 2 and both.card.content != loader.card.content
    for text, error in (("a\tb\n", "columns"), ("split\ttopic\tprompt\ntest\tjoke\tadded\n", "columns")):
        table.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match=error):
            list(loader)
    with pytest.raises(UsageError, match="need topics=FILE"):
        Asterisk(task="topic")


def test_card(root: Path) -> None:
    loader = Asterisk(root=str(root), languages=["en", "fr"])
    card = loader.card
    assert card.languages == ("eng_Latn", "fra_Latn") and card.revision == "asterisk-core-sounds 9.1-2"
    assert card == loader.card and len(card.content) == 64
    soundfile.write(VOICES["fra_Latn"].audio(root, "added"), np.zeros(900, np.int16), 8000)
    assert loader.card.content != card.content
    assert package_version(root / "nowhere", VOICES["eng_Latn"]) == "unknown"


def test_missing_packages(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        list(Asterisk(root=str(root), languages=["en", "it"]))
    message = str(error.value)
    assert "apt-get install asterisk-core-sounds-it asterisk-core-sounds-it-wav" in message and "\n" not in message
    assert "asterisk-core-sounds-en" not in message
    with pytest.raises(UsageError, match="asterisk-core-sounds-en asterisk-core-sounds-en-wav"):
        list(Asterisk(root=str(tmp_path / "none"), languages=["fr"], task="translation"))


def test_wrong_task() -> None:
    with pytest.raises(UsageError, match="task='mt' is not known"):
        Asterisk(task=cast("Any", "mt"))
