"""Turns a sample into the conversation that a processor of transformers takes, with its media decoded."""

from __future__ import annotations

import base64
import inspect
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mmbench.errors import SampleError
from mmbench.media import encode_audio, load_image
from mmbench.models.continuations import is_mistral
from mmbench.models.loading import placed
from mmbench.models.parts import LongAudio, hear, pick_window
from mmbench.schema import Audio, Image, Part, Sample, Text, Video

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Block = dict[str, Any]
"""One piece of a message: `{"type": "text" | "audio" | "image", ...}`."""

_KINDS: Mapping[str, tuple[str, ...]] = {
    "audio": ("feature_extractor", "audio_processor"),
    "image": ("image_processor",),
}
"""Parts of a processor that read a kind of media."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What a model can be given.

    Args:
        name: of the model, for messages.
        kinds: of media that it takes.
        rate: of its audio, in Hz.
        window: seconds of a clip that it hears; None is without limit.
        long_audio: what becomes of longer clips.
        system: system message.
    """

    name: str
    kinds: frozenset[str]
    rate: int = 16_000
    window: float | None = None
    long_audio: LongAudio = "refuse"
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A sample as a processor takes it.

    Args:
        messages: the turns, each a role and its blocks.
        clips: samples of each waveform in it.
        images: number of images in it.
        notes: what was done to the clips so that they fit.
    """

    messages: list[dict[str, Any]]
    clips: tuple[int, ...]
    images: int
    notes: tuple[str, ...]


def converse(sample: Sample, reader: Reader) -> Conversation:
    """Decode the parts of a sample, in order.

    Raises:
        SampleError: the model cannot take one of them.
        MediaError: one of them cannot be decoded.
    """
    blocks: list[Block] = []
    notes: list[str] = []
    for part in sample.parts:
        found, said = _blocks(sample, part, reader)
        blocks += found
        notes += said
    messages = [{"role": "user", "content": blocks}]
    if reader.system is not None:
        messages.insert(0, {"role": "system", "content": [{"type": "text", "text": reader.system}]})
    lengths = tuple(len(block["audio"]) for block in blocks if block["type"] == "audio")
    return Conversation(messages, lengths, sum(block["type"] == "image" for block in blocks), tuple(notes))


def _blocks(sample: Sample, part: Part, reader: Reader) -> tuple[list[Block], tuple[str, ...]]:
    if isinstance(part, Text):
        return [{"type": "text", "text": part.text}], ()
    if isinstance(part, Video):
        raise SampleError(
            f"sample {sample.id} holds video, which is not decoded; give its frames as images and its sound as audio"
        )
    kind = "audio" if isinstance(part, Audio) else "image"
    if kind not in reader.kinds:
        raise SampleError(
            f"sample {sample.id} holds {kind}, which {reader.name} does not take; "
            "put a stage before it (model=cascade) or choose another model"
        )
    if isinstance(part, Image):
        return [{"type": "image", "image": load_image(part)}], ()
    alone = replace(sample, parts=(part,))
    heard = hear([alone], reader.rate, window=reader.window, long_audio=reader.long_audio)
    return [{"type": "audio", "audio": wave} for wave in heard.waves], heard.notes[0]


def processed(
    sample: Sample, asked: Sequence[Conversation], chat_template: str, processor: Any, reader: Reader
) -> dict[str, Any]:
    """What a processor makes of conversations under a frame.

    Raises:
        SampleError: it refuses them; `sample` is the one that is named.
    """
    messages = [each.messages for each in asked]
    options: dict[str, Any] = {}
    if is_mistral(processor.tokenizer):
        messages = [encoded(each, reader.rate) for each in messages]
    else:
        # Padding is named for the text alone, or audio extractors take it too. The frame writes BOS.
        kwargs = {"text_kwargs": {"padding": True}, "add_special_tokens": False}
        options = {"chat_template": chat_template, "sanitize_control_tokens": True, "processor_kwargs": kwargs}
    try:
        return dict(
            processor.apply_chat_template(
                messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt", **options
            )
        )
    except (ImportError, IndexError, KeyError, NotImplementedError, TypeError, ValueError) as error:
        detail = " ".join(str(error).split())[:300]
        raise SampleError(f"sample {sample.id}: the processor of {reader.name} refuses it: {detail}") from error


def moved(value: Any, model: Any) -> Any:
    """A feature on a model's device, in its dtype where it holds numbers with a fraction."""
    if isinstance(value, list | tuple):
        return [moved(item, model) for item in value]
    return placed(value, model) if hasattr(value, "is_floating_point") else value


def encoded(messages: Sequence[Mapping[str, Any]], rate: int) -> list[dict[str, Any]]:
    """The messages with each waveform as a file of 32-bit floats in base64, as mistral-common takes it."""

    def block(own: Block) -> Block:
        if own["type"] != "audio":
            return own
        return {
            "type": "audio",
            "base64": base64.b64encode(encode_audio(own["audio"], rate=rate, subtype="FLOAT")).decode(),
        }

    return [{**message, "content": [block(own) for own in message["content"]]} for message in messages]


def read_by(name: str, model: Any, processor: Any, window: float | None, long_audio: LongAudio) -> Reader:
    """What a model can be given.

    Args:
        name: of the model, for messages.
        model: the model itself.
        processor: of its inputs.
        window: the setting.
        long_audio: the setting.

    Raises:
        UsageError: the settings cannot be met.
    """
    found = kinds(model, processor)
    rate = int(getattr(extractor(processor), "sampling_rate", 16_000))
    own = own_window(processor) if "audio" in found else None
    window = pick_window(name, own, window, long_audio)
    return Reader(name=name, kinds=found, rate=rate, window=window, long_audio=long_audio)


def kinds(model: Any, processor: Any) -> frozenset[str]:
    """Kinds of media that a model takes: those that its class names and its processor reads."""
    named = getattr(model, "input_modalities", "text")
    # "text" alone is what a class has that names nothing, as those outside the library do.
    named = tuple(_KINDS) if named == "text" else (named,) if isinstance(named, str) else named
    return frozenset(
        kind for kind, readers in _KINDS.items() if kind in named and any(hasattr(processor, name) for name in readers)
    )


def extractor(processor: Any) -> Any:
    """The part of a processor that reads audio; None where there is none."""
    return next((getattr(processor, name) for name in _KINDS["audio"] if hasattr(processor, name)), None)


def own_window(processor: Any) -> float | None:
    """Seconds of a clip beyond which a processor silently drops the rest; None where it hears all."""
    if getattr(processor, "max_audio_len", None):
        return float(processor.max_audio_len)
    reader = extractor(processor)
    if reader is None:
        return None
    defaults = {name: each.default for name, each in inspect.signature(reader.__call__).parameters.items()}
    settings = {**defaults, **getattr(processor, "audio_kwargs", {})}
    most = settings.get("max_length") or getattr(reader, "n_samples", None)
    return None if settings.get("truncation") is not True or not most else float(most) / float(reader.sampling_rate)


def fixed_window(processor: Any) -> bool:
    """Whether each clip is padded to one length whatever is beside it in a batch, as Whisper's extractor does."""
    return hasattr(extractor(processor), "n_samples") and getattr(processor, "audio_kwargs", {}).get("padding") is None
