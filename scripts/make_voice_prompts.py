"""Make the bundled sample in loaders/voice_prompts from the Debian packages of the Asterisk prompts.

Usage: python scripts/make_voice_prompts.py [--root /usr/share] [--out loaders/voice_prompts]

The prompts and their topics are in voice_prompts.tsv beside this file. Its rows of the split `train` are not bundled;
they are there for training classifiers, and this script fails where one of them says the same as a test prompt.
The same packages and libFLAC give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from loaders.asterisk import (
    TOPICS,
    VOICES,
    Asterisk,
    Voice,
    fault,
    package_version,
    read_topics,
    read_transcripts,
    words,
)
from loaders.voice_prompts import REVISION

PER_TOPIC, MIN_TRAIN = 10, 8
SECONDS = (0.9, 7.0)
MAX_BYTES = 6_000_000

ATTRIBUTION = """\
# Who made the clips in this folder

They are prompts of the Asterisk PBX, "asterisk-core-sounds", from the Debian packages
asterisk-core-sounds-{{en,es,fr,it,ru}} and asterisk-core-sounds-{{en,es,fr,it,ru}}-wav, version {version}
(upstream: http://downloads.asterisk.org/pub/telephony/asterisk/).

| folder | language | recorded by | translated by | copyright | licence |
|---|---|---|---|---|---|
| audio/eng_Latn | English, United States | Allison Smith (http://www.theivrvoice.com) | | 2003-2010, Allison Smith | \
CC-BY-SA-3.0 |
| audio/spa_Latn | Spanish, Mexico | Allison Smith (http://www.theivrvoice.com) | not named | 2003-2010, \
Allison Smith | CC-BY-SA-3.0 |
| audio/fra_Latn | French, Canada | June Wallack (http://www.junewallack.com) | Clod Patry, Kristopher Lalletti, \
June Wallack | 2006-2008, June Wallack | CC-BY-SA-3.0 |
| audio/ita_Latn | Italian | Carlo Flora (http://www.carloflora.com, http://www.segreterietelefoniche.it) | \
Silvia Petrin | 2012, Carlo Flora | CC-BY-3.0 |
| audio/rus_Cyrl | Russian | provided by Maxim Topal (http://www.ivrvoice.ru) | not named | 2010, Maxim | CC-BY-3.0 |

Financial contributions to the recordings: Digium, Inc. (http://www.digium.com), and for French also Unlimitel
(http://www.unlimitel.ca) and BGM Informatique (www.bgm.qc.ca).

The licences are beside this file, as they stand in the packages' copyright file: LICENSE-CC-BY-SA-3.0.txt and
LICENSE-CC-BY-3.0.txt. They hold for the clips and for the transcripts in prompts.jsonl, and not for the program.

Changes: {count} prompts were chosen. The clips are unmodified except for lossless re-encoding from WAV to FLAC: every
sample is the same. The transcripts are those of the packages; white space, and quotes, colons, commas and repeated
dots at their ends were taken off. The topics were added.
"""


def _key(text: str) -> str:
    """A text as it is compared: lower case, no punctuation."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def _check_splits(table: Path, spoken: dict[str, dict[str, str]]) -> dict[str, str]:
    """Topics of the test prompts, after checking the table against all transcripts."""
    test, train = read_topics(table, "test"), read_topics(table, "train")
    for topic in TOPICS:
        if list(test.values()).count(topic) != PER_TOPIC or list(train.values()).count(topic) < MIN_TRAIN:
            raise SystemExit(f"{topic}: {PER_TOPIC} test and at least {MIN_TRAIN} train prompts are needed")
    if both := set(test) & set(train):
        raise SystemExit(f"both in test and in train: {', '.join(sorted(both))}")
    if absent := [prompt for prompt in train if not any(prompt in texts for texts in spoken.values())]:
        raise SystemExit(f"in no language: {', '.join(absent)}")
    seen: dict[str, str] = {}
    for name, texts in spoken.items():
        for prompt in test:
            if prompt not in texts:
                raise SystemExit(f"test prompt {prompt} cannot be used in {name}")
            if (other := seen.setdefault(_key(texts[prompt]), prompt)) != prompt:
                raise SystemExit(f"{prompt} says the same as {other}: {texts[prompt]!r}")
    for name, texts in spoken.items():
        for prompt in sorted(set(train) & set(texts)):
            if same := seen.get(_key(texts[prompt])):
                raise SystemExit(f"train prompt {prompt} says the same as test prompt {same} in {name}")
    return test


def _encode(source: Path, target: Path) -> float:
    """Write a clip as FLAC with the same samples; its seconds."""
    samples, rate = soundfile.read(source, dtype="int16", always_2d=True)
    if rate != 8000 or samples.shape[1] != 1 or soundfile.info(source).subtype != "PCM_16":
        raise SystemExit(f"{source}: 8 kHz, 16 bit, mono expected")
    target.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(target, samples, rate, subtype="PCM_16", format="FLAC", compression_level=1.0)
    again, again_rate = soundfile.read(target, dtype="int16", always_2d=True)
    if again_rate != rate or not np.array_equal(samples, again):
        raise SystemExit(f"{target}: not the samples of {source}")
    return float(len(samples) / rate)


def _row(prompt: str, topic: str, root: Path, out: Path) -> dict[str, Any]:
    """Encode a prompt in all languages; its row of prompts.jsonl."""
    row: dict[str, Any] = {"id": prompt, "topic": topic, "texts": {}, "files": {}, "sha256": {}, "seconds": {}}
    for name, voice in VOICES.items():
        file = f"audio/{name}/{prompt.replace('/', '__')}.flac"
        raw = read_transcripts(voice.transcripts(root))[prompt]
        if reason := fault(prompt, name, raw):
            raise SystemExit(f"{prompt} in {name}: {reason}: {raw!r}")
        seconds = _encode(voice.audio(root, prompt), out / file)
        if not SECONDS[0] <= seconds <= SECONDS[1]:
            raise SystemExit(f"{prompt} in {name}: {seconds:.2f} s")
        row["texts"][name] = words(raw)
        row["files"][name] = file
        row["sha256"][name] = hashlib.sha256((out / file).read_bytes()).hexdigest()
        row["seconds"][name] = round(seconds, 6)
    return row


def _licence(root: Path, voice: Voice, name: str) -> str:
    """Text of a licence from the package's copyright file, without the marks of that file's format."""
    copyrights = voice.transcripts(root).with_name("copyright").read_text(encoding="utf-8")
    stanza = next(part for part in copyrights.split("\n\n") if part.startswith(f"License: {name}\n"))
    lines = [line.rstrip().removeprefix(" ") for line in stanza.splitlines()[1:]]
    return "\n".join("" if line == "." else line for line in lines).strip("\n") + "\n"


def make(root: Path, out: Path) -> int:
    """Write the folder, leaving the loader in it alone; the size of what was written in bytes."""
    spoken, _ = Asterisk(root=str(root)).read()
    topics = _check_splits(Path(__file__).with_name("voice_prompts.tsv"), spoken)
    if versions := {package_version(root, voice) for voice in VOICES.values()} - {REVISION}:
        raise SystemExit(f"packages are {', '.join(versions)}, but loaders.voice_prompts.REVISION is {REVISION}")
    shutil.rmtree(out / "audio", ignore_errors=True)
    by_topic = [[prompt for prompt, topic in topics.items() if topic == wanted] for wanted in TOPICS]
    order = [prompt for turn in zip(*by_topic, strict=True) for prompt in turn]  # so that the first n have all topics
    rows = [_row(prompt, topics[prompt], root, out) for prompt in order]
    files = {
        "prompts.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
        "ATTRIBUTION.md": ATTRIBUTION.format(version=REVISION, count=len(rows)),
    }
    for voice in VOICES.values():
        files[f"LICENSE-{voice.licence}.txt"] = _licence(root, voice, voice.licence)
    for file, text in files.items():
        (out / file).write_text(text, encoding="utf-8", newline="\n")
    written = [*(out / "audio").rglob("*.flac"), *(out / file for file in files)]
    size = sum(path.stat().st_size for path in written)
    if size > MAX_BYTES:
        raise SystemExit(f"{size:,} bytes, more than {MAX_BYTES:,}")
    return size


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Make loaders/voice_prompts from the installed Debian packages.")
    parser.add_argument("--root", type=Path, default=Path("/usr/share"), help="folder with asterisk/sounds and doc")
    parser.add_argument("--out", type=Path, default=Path("loaders/voice_prompts"), help="folder to write")
    arguments = parser.parse_args()
    print(f"{arguments.out}: {make(arguments.root, arguments.out):,} bytes")


if __name__ == "__main__":
    main()
