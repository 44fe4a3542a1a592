from __future__ import annotations

import hashlib
import importlib.util
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import soundfile

from loaders import voice_prompts
from loaders.asterisk import TOPICS, VOICES, read_topics
from loaders.voice_prompts import REVISION, VoicePrompts
from mmbench.errors import UsageError
from mmbench.media import audio_seconds, load_audio
from mmbench.models.speech_classifier import Head
from mmbench.schema import Audio, Loader

if TYPE_CHECKING:
    from types import ModuleType

HOME = Path(voice_prompts.__file__).parent
SCRIPTS = Path(__file__).parents[2] / "scripts"
ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (HOME / "prompts.jsonl").read_text(encoding="utf-8").splitlines()
]
INSTALLED = Path("/usr/share")


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_voice_prompts", SCRIPTS / "make_voice_prompts.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_counts() -> None:
    assert len(ROWS) == len({row["id"] for row in ROWS}) == 40
    assert Counter(row["topic"] for row in ROWS) == dict.fromkeys(TOPICS, 10)
    assert [row["topic"] for row in ROWS[:8]] == [*TOPICS, *TOPICS]
    samples = list(VoicePrompts())
    assert len(samples) == len({sample.id for sample in samples}) == 200
    assert Counter(sample.language for sample in samples) == dict.fromkeys(VOICES, 40)
    prompts = {language: {s.group["prompt"] for s in samples if s.language == language} for language in VOICES}
    assert all(known == {row["id"] for row in ROWS} for known in prompts.values())
    assert all(sample.id == f"{sample.group['prompt']}/{sample.language}" for sample in samples)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["id"]))
def test_files(row: dict[str, Any]) -> None:
    assert set(row) == {"id", "topic", "texts", "files", "sha256", "seconds"}
    for column in ("texts", "files", "sha256", "seconds"):
        assert list(row[column]) == list(VOICES)
    for language, name in row["files"].items():
        path = HOME / name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"][language]
        assert soundfile.info(path).samplerate == 8000
        seconds = row["seconds"][language]
        assert len(load_audio(Audio(path), rate=16000)) == pytest.approx(seconds * 16000, abs=2)
        assert audio_seconds(Audio(path)) == pytest.approx(seconds, abs=1e-6)
        assert 0.9 <= seconds <= 7.0
        text = row["texts"][language]
        assert text == text.strip() and not set(text) & set('[]()<>{}"…') and ".." not in text


def test_folder_has_nothing_else_and_is_small() -> None:
    files = {path.relative_to(HOME).as_posix() for path in HOME.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    licences = {f"LICENSE-{voice.licence}.txt" for voice in VOICES.values()}
    clips = {name for row in ROWS for name in row["files"].values()}
    assert files == clips | licences | {"__init__.py", "prompts.jsonl", "ATTRIBUTION.md", "topic_head.safetensors"}
    assert sum((HOME / name).stat().st_size for name in files) < 6_000_000


def test_topic_head_was_not_trained_on_the_test_prompts() -> None:
    head = Head.load(HOME / "topic_head.safetensors")
    assert head.labels == TOPICS
    training = json.loads(head.training)
    assert "split train" in training["data"]
    trained = set(read_topics(SCRIPTS / "voice_prompts.tsv", "train"))
    assert not trained & {row["id"] for row in ROWS}
    assert training["clips"] <= len(trained) * len(VOICES)


def test_attribution_and_licences() -> None:
    text = (HOME / "ATTRIBUTION.md").read_text(encoding="utf-8")
    for name in ("Allison Smith", "June Wallack", "Carlo Flora", "Maxim Topal", REVISION, "lossless", *VOICES):
        assert name in text
    share_alike = (HOME / "LICENSE-CC-BY-SA-3.0.txt").read_text(encoding="utf-8")
    assert "ShareAlike" in share_alike and "recorded by Allison" in share_alike and "\n.\n" not in share_alike
    attribution = (HOME / "LICENSE-CC-BY-3.0.txt").read_text(encoding="utf-8")
    assert attribution.startswith("Creative Commons Legal Code\n\nAttribution 3.0 Unported\n")


def test_translation_is_into_english() -> None:
    english = {row["id"]: row["texts"]["eng_Latn"] for row in ROWS}
    samples = list(VoicePrompts(task="translation"))
    assert len(samples) == 160
    for sample in samples:
        assert sample.language != "eng_Latn" and sample.spoken == sample.language and sample.written == "eng_Latn"
        assert sample.references == (english[sample.group["prompt"]],)
        assert sample.transcript != sample.references[0]


def test_topic_and_asr() -> None:
    for sample, asr in zip(VoicePrompts(task="topic"), VoicePrompts(), strict=True):
        assert sample.choices == TOPICS and not sample.references
        assert sample.answer is not None and TOPICS[sample.answer] == sample.group["topic"]
        assert set(sample.group) == {"topic", "prompt", "speaker"}
        assert sample.id == asr.id and asr.references == (sample.transcript,) and asr.written == asr.language


def test_languages_take_any_code() -> None:
    samples = list(VoicePrompts(languages=["es_419", "Russian", "en"]))
    assert [sample.language for sample in samples[:4]] == ["eng_Latn", "spa_Latn", "rus_Cyrl", "eng_Latn"]
    with pytest.raises(UsageError, match="swh_Latn not in the dataset"):
        VoicePrompts(languages=["sw"])


def test_wrong_settings(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="task='mt' is not known: give one of asr, translation, topic"):
        VoicePrompts(task=cast("Any", "mt"))
    with pytest.raises(UsageError, match=r"no prompts\.jsonl there"):
        list(VoicePrompts(folder=str(tmp_path)))


def test_card() -> None:
    card = VoicePrompts(languages=["it"]).card
    assert card.languages == ("ita_Latn",) and REVISION in card.revision
    assert card.licence == "CC-BY-SA-3.0 (English, Spanish, French), CC-BY-3.0 (Italian, Russian)"
    assert card.content == hashlib.sha256((HOME / "prompts.jsonl").read_bytes()).hexdigest()


def test_is_a_loader_that_repeats_itself() -> None:
    loader: Loader = VoicePrompts()
    assert list(loader) == list(loader)


def test_table_of_prompts() -> None:
    table = SCRIPTS / "voice_prompts.tsv"
    test, train = read_topics(table, "test"), read_topics(table, "train")
    assert test == {row["id"]: row["topic"] for row in ROWS}
    assert not set(test) & set(train)
    assert min(Counter(train.values())[topic] for topic in TOPICS) >= 8


def test_script_refuses_a_train_prompt_that_says_the_same(tmp_path: Path) -> None:
    script = _script()
    table = tmp_path / "table.tsv"
    rows = [
        (split, topic, f"{split}-{topic}-{n}") for split in ("test", "train") for topic in TOPICS for n in range(10)
    ]
    table.write_text("split\ttopic\tprompt\n" + "".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    texts = {"eng_Latn": {prompt: prompt for _, _, prompt in rows}}
    assert len(script._check_splits(table, texts)) == 40
    texts["eng_Latn"]["train-wait-3"] = "Test, PASSWORD 4!"
    with pytest.raises(SystemExit, match="train prompt train-wait-3 says the same as test prompt test-password-4"):
        script._check_splits(table, texts)


@pytest.mark.skipif(
    not all(voice.audio(INSTALLED, "vm-delete").is_file() for voice in VOICES.values()),
    reason="the Debian packages asterisk-core-sounds-* are not installed",
)
def test_same_samples_as_the_debian_packages() -> None:
    for row in ROWS:
        for language, name in row["files"].items():
            clip, rate = soundfile.read(HOME / name, dtype="int16")
            wav, wav_rate = soundfile.read(VOICES[language].audio(INSTALLED, row["id"]), dtype="int16")
            assert rate == wav_rate and (clip == wav).all(), name
