"""Decodes windows of encoded audio, mono at the rate that is asked for."""

from __future__ import annotations

import io
import math
import re
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
import soundfile
import soxr

from mmbench.media.source import guard, media_error, open_source
from mmbench.schema import Audio, Joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MAX_AUDIO_SECONDS = 6 * 3600.0
"""Longest window that `load_audio` decodes; 1.4 GB of samples at 16 kHz."""
END_TOLERANCE = 0.1
"""Seconds that a window may end after its file: transcripts round their times, lossy formats their lengths."""

_BLOCK = 1 << 20  # values decoded at a time, so that many channels at a high rate are never in memory as a whole
_UNKNOWN = 0x7FFF0000  # writers that cannot seek back (ffmpeg, sox, arecord) leave sizes above this in WAV headers


class _Window(NamedTuple):
    """Frames [first, stop) of an open file; `estimated`: the header's length is a guess."""

    file: soundfile.SoundFile
    handle: BinaryIO
    first: int
    stop: int
    estimated: bool


def _wav_chunk(handle: BinaryIO) -> tuple[int, int, int]:
    """Size that the RIFF header declares, offset of the samples, and size that the data chunk declares."""
    declared, at = struct.unpack("<4xI4x", handle.read(12))[0], 12
    for _ in range(1000):
        handle.seek(at)
        name, length = struct.unpack("<4sI", handle.read(8))
        at += 8
        if name == b"data":
            return declared, at, length
        at += length + length % 2
    raise ValueError("no data chunk")


def _ogg_cut(tail: bytes) -> bool:
    """Whether the last Ogg page is not complete: 27 bytes, a table of sizes whose length is the last of them, data."""
    page = tail[tail.rfind(b"OggS") :]
    end = 27 + page[26] + sum(page[27 : 27 + page[26]]) if len(page) > 26 else 27
    return len(page) < end or b"OggS".startswith(page[end:] or b"-")


def _inspect(handle: BinaryIO) -> tuple[BinaryIO, bool, bool]:
    """Find out what libsndfile does not say: handle to decode, whether the file is cut, whether its length is a guess.

    libsndfile silently shortens a WAV to the bytes there are and an Ogg to its last whole page, reads nothing from
    a WAV with a data size of 0 (a recorder that could not seek back), and guesses the length of an MP3 without a Xing
    header from its first frame.
    """
    size, _, head, _ = handle.seek(0, io.SEEK_END), handle.seek(0), handle.read(12), handle.seek(0)
    cut = estimated = False
    if head[:4] in (b"RIFF", b"RF64"):
        declared, start, length = _wav_chunk(handle)
        cut = length < _UNKNOWN and start + length > size + 1  # some writers count the pad byte
        handle.seek(0)
        if length == 0 and declared + 8 <= start < size < _UNKNOWN:
            handle = io.BytesIO(handle.read())
            handle.getbuffer()[start - 4 : start] = b"\xff\xff\xff\xff"
    elif head[:4] == b"OggS":
        handle.seek(max(0, size - (1 << 17)))  # a page has at most 65,307 bytes
        cut = _ogg_cut(handle.read())
    elif head[:3] == b"ID3" or head[:1] == b"\xff":
        if head[:3] == b"ID3":  # its size has 7 bits a byte
            handle.seek(10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False)))
        estimated = not re.search(b"Xing|Info|VBRI", handle.read(4096))
    handle.seek(0)
    return handle, cut, estimated


@contextmanager
def _window(audio: Audio) -> Iterator[_Window]:
    """Open the file and find the window's frames from the header alone."""
    source, start, end = audio.source, audio.start, audio.end
    times = f"[{start}, {'end' if end is None else end}) s"
    if not (math.isfinite(start) and start >= 0) or not (end is None or (math.isfinite(end) and end > start)):
        raise media_error(source, f"{times} is not a window", "0 <= start < end is needed")
    mend = "give a whole wav, flac, mp3, ogg or opus file, or convert it: ffmpeg -i FILE FILE.flac"
    with guard(source, mend), open_source(source) as opened:
        handle, cut, estimated = _inspect(opened)
        with soundfile.SoundFile(handle) as file:
            rate, frames = file.samplerate, file.frames
            if not 1_000 <= rate <= 768_000 or file.channels > 64:
                raise media_error(source, f"{rate} Hz in {file.channels} channels is absurd", "its header is damaged")
            first, stop = round(start * rate), frames if end is None else round(end * rate)
            if end is None and frames == 2**63 - 1:  # a FLAC that was written into a pipe
                raise media_error(
                    source, "its header does not say how long it is", "write it again: ffmpeg -i FILE NEW.flac"
                )
            if cut and (end is None or stop > frames):
                raise media_error(
                    source, f"truncated: only {frames / rate:.3f} s are there", "download or export it again"
                )
            if first >= stop or first >= frames or stop > frames + END_TOLERANCE * rate:
                raise media_error(
                    source, f"no samples at {times}: it has {frames / rate:.3f} s", "correct start and end"
                )
            yield _Window(file, handle, first, min(stop, frames), estimated and file.format == "MP3")


def audio_seconds(audio: Audio) -> float:
    """Duration of the window in seconds from the header alone; an estimate for an MP3 without a Xing header.

    A condition does not count: only decoding shows how long it makes the recording.

    Raises:
        MediaError: as `load_audio`, as far as the header shows it.
    """
    if isinstance(audio.source, Joined):
        sources = audio.source.sources
        return sum(audio_seconds(Audio(s)) for s in sources) + audio.source.gap * max(0, len(sources) - 1)
    with _window(audio) as window:
        return (window.stop - window.first) / float(window.file.samplerate)


def load_audio(audio: Audio, *, rate: int) -> NDArray[np.float32]:
    """Decode the window [start, end) as mono samples at `rate` Hz; the mean of the channels, resampled by soxr HQ.

    Only the window is decoded. A file that ends early is an error where the window reaches the missing part.
    A condition is applied at `rate`; in mono.

    Returns:
        Samples of shape (n,), n about (end - start) * rate, full scale -1 to 1, all of them finite.

    Raises:
        MediaError: the file is missing, empty, damaged, truncated or not audio; the window is empty, ends more than
            `END_TOLERANCE` after the file or is longer than `MAX_AUDIO_SECONDS`; or samples are NaN or infinite.
    """
    if rate <= 0:
        raise ValueError(f"rate must be positive, not {rate}")
    joined = audio.source
    wave = _joined(audio, joined, rate) if isinstance(joined, Joined) else _decoded(audio, rate)
    if audio.condition is None:
        return wave
    heard = np.ascontiguousarray(audio.condition(wave, rate, audio.seed), dtype=np.float32)
    if not len(heard) or not np.isfinite(heard).all():
        raise media_error(joined, f"the condition {audio.condition.label} leaves nothing of it", "correct its settings")
    return heard


def _joined(audio: Audio, joined: Joined, rate: int) -> NDArray[np.float32]:
    if audio.start or audio.end is not None:
        raise media_error(joined, "several recordings in a row have no window", "leave out start and end")
    if not joined.sources:
        raise media_error(joined, "no recordings", "name at least one")
    silence = np.zeros(round(joined.gap * rate), np.float32)
    pieces = [piece for source in joined.sources for piece in (silence, load_audio(Audio(source), rate=rate))]
    return np.concatenate(pieces[1:])


def _decoded(audio: Audio, rate: int) -> NDArray[np.float32]:
    source = audio.source
    with _window(audio) as window:
        file, wanted, mp3 = window.file, window.stop - window.first, window.file.format == "MP3"
        if wanted > MAX_AUDIO_SECONDS * file.samplerate:
            raise media_error(source, f"more than {MAX_AUDIO_SECONDS:.0f} s", "cut it into windows with start and end")
        stream = soxr.ResampleStream(file.samplerate, rate, 1, dtype="float32", quality="HQ")
        pieces, got, step = [], 0, max(1, _BLOCK // file.channels)
        # A seek in an MP3 loses the bits that its frames borrow from those before: seek early and drop the lead.
        lead = min(window.first, file.samplerate) if mp3 else 0
        file.seek(window.first - lead)
        file.seekable = lambda: False  # else soundfile seeks after every read, with the same loss
        file.read(lead)
        while len(block := file.read(min(step, wanted - got), dtype="float32", always_2d=True)):
            got += len(block)
            with np.errstate(over="ignore", invalid="ignore"):  # reported below
                mono = block[:, 0] if file.channels == 1 else block.mean(axis=1)
            pieces.append(mono if file.samplerate == rate else stream.resample_chunk(mono))
        if file.samplerate != rate:
            pieces.append(stream.resample_chunk(np.zeros(0, np.float32), last=True))
        guessed = window.estimated and audio.end is None
        slack = END_TOLERANCE * file.samplerate if mp3 else 0  # an MP3's count may be off by the encoder's delay
        if not got or (wanted - got > slack and not guessed):
            raise media_error(
                source, f"truncated: only {got} of {wanted} frames are there", "download or export it again"
            )
        at, size = window.handle.tell(), window.handle.seek(0, io.SEEK_END)
        if guessed and size - at > max(0.05 * size, 16_384):
            raise media_error(source, "MP3 of varying bit rate without a Xing header", "convert it to flac with ffmpeg")
        samples = np.ascontiguousarray(np.concatenate(pieces), dtype=np.float32)
    if not len(samples):
        raise media_error(source, f"the window is shorter than one sample at {rate} Hz", "correct start and end")
    if not np.isfinite(samples).all():
        raise media_error(source, "has NaN or infinite samples", "export it again, as 16-bit wav or flac")
    return samples
