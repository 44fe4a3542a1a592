"""Media that are broken in every common way: each costs its own sample, is named, and nothing else is lost."""

from __future__ import annotations

import io
import json
import struct
import zlib

import numpy as np
import pytest
import soundfile
from PIL import Image as pil

from loaders.manifest import Manifest
from mmbench.cell import Settings, run_cell
from mmbench.errors import CellError
from mmbench.models.echo import Echo
from mmbench.score import read_records
from tests.fakes import WER, task


def wav(values, subtype="PCM_16"):
    out = io.BytesIO()
    soundfile.write(out, values, 16000, format="WAV", subtype=subtype)
    return out.getvalue()


def png(width, height):
    """A PNG that declares a size and holds one row."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(width + 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def small():
    out = io.BytesIO()
    pil.new("RGB", (4, 3)).save(out, "PNG")
    return out.getvalue()


TONE = wav(np.sin(np.arange(16000) / 20) / 2)
BAD = {
    "truncated.wav": TONE[: len(TONE) // 2],
    "empty.wav": b"",
    "nan.wav": wav(np.full(8000, np.nan, np.float32), "FLOAT"),
    "zero_hertz.wav": TONE[:24] + struct.pack("<I", 0) + TONE[28:],
    "text.wav": b"this is no sound\n" * 50,
    "folder.wav": None,
    "missing.wav": None,
    "huge.png": png(40_000, 40_000),
    "text.png": b"this is no picture\n" * 50,
}
GOOD = {"good.wav": TONE, "again.wav": TONE, "good.png": small()}
SAID = {"good.wav": "<audio 1.00 s>", "again.wav": "<audio 1.00 s>", "good.png": "<image 4x3>"}


@pytest.fixture
def listening(tmp_path):
    """A task over good and bad files, in three languages, whose right answer is what Echo says of good ones."""
    rows = []
    for index, (name, content) in enumerate(sorted({**BAD, **GOOD}.items())):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        part = {"image" if name.endswith("png") else "audio": name}
        rows.append({"id": name, "language": ("en", "sw", "hi")[index % 3], "reference": SAID.get(name, "x y"), **part})
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return task(name="listen", loader=Manifest(path=str(tmp_path / "data.jsonl")), scorers={"wer": WER})


@pytest.mark.parametrize("size", [1, 4, 64])
def test_each_bad_file_has_its_error_row_and_the_rest_is_answered(tmp_path, listening, size):
    with pytest.raises(CellError, match=r"9 of 12 samples failed, more than max_failed=0\.01"):
        run_cell(listening, Echo(), tmp_path / "out", Settings(batch_size=size, progress=False))
    records = read_records(tmp_path / "out" / "listen" / "echo" / "predictions.jsonl", strict=True)
    found = {key: record.prediction for (*_, key), record in records.items()}
    assert {name: answer.output.text for name, answer in found.items() if answer.output} == SAID
    for name in BAD:
        assert found[name].error.kind == "MediaError"
        assert name in found[name].error.message
        assert "; " in found[name].error.message  # what it is, and how to mend it


def test_all_may_fail_where_that_is_asked_for(tmp_path, listening):
    scores, outcome = run_cell(listening, Echo(), tmp_path / "out", Settings(max_failed=1, progress=False))
    overall = next(score for score in scores if score.language == "all")
    assert (outcome.failed, overall.failed, overall.n) == (9, 9, 12)
    # good files are right, so the errors are the two words of each bad file's reference
    words = 2 * len(BAD) + sum(len(WER._units(text, "eng_Latn")) for text in SAID.values())
    assert overall.value == pytest.approx(2 * len(BAD) / words)


def test_mended_files_are_answered_on_request(tmp_path, listening):
    settings = Settings(max_failed=1, progress=False)
    run_cell(listening, Echo(), tmp_path / "out", settings)
    (tmp_path / "missing.wav").write_bytes(TONE)
    again = Settings(max_failed=1, retry_failed=True, progress=False)
    assert run_cell(listening, Echo(), tmp_path / "out", again)[1].failed == 8
