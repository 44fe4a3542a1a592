"""What the families of speech-to-text models in transformers are told, and how: facts and small functions.

`SpeechToText` does what is the same for all. A family that is not here gets `PLAIN`: it hears, and is told nothing.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from mmbench import languages
from mmbench.errors import SampleError
from mmbench.models.codes import own_code
from mmbench.models.generation import on_one_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Sample

Task = Literal["transcribe", "translate"]
"""Write what is said, or say it in another language."""


class Request(NamedTuple):
    """What a model is asked of a clip, in its own words; clips with one request may share a call.

    Args:
        task: what to do.
        spoken: the model's own name of the language that is spoken; None where it is not told.
        written: its name of the language to write in; None where it is not told.
    """

    task: Task
    spoken: str | None = None
    written: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What is particular to a family of models; processor and model are those of transformers.

    Args:
        inputs: arguments of `generate` from processor, waveforms of shape (n,) and request.
        tells: which languages a request names: of a transcription, and of a translation.
        code: the model's own name of a language by our tag, from processor, model and tag; None where it knows none.
        into: what it translates into: nothing, English alone, or what it is told.
        choice: whether this very checkpoint has a choice of languages and tasks, from processor and model.
        window: seconds that it hears of a clip, from processor and model; None where it has no limit.
        fixed: nothing beyond the window reaches the model, so that no setting can widen it.
        padded: clips of several lengths may share a call, because the model is deaf to padding.
        limit: tokens that a clip of so many seconds may be answered with, from the model's config; None leaves it to
            the checkpoint.
        begins: tokens that `generate` gives back before the answer where `inputs` names none, from the model's config.
        decoding: further arguments of the processor's `decode`.
    """

    inputs: Callable[[Any, Sequence[NDArray[np.float32]], Request], dict[str, Any]]
    tells: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    code: Callable[[Any, Any, str], str | None] = lambda processor, model, tag: None
    into: Literal["nothing", "English", "any"] = "nothing"
    choice: Callable[[Any, Any], bool] = lambda processor, model: True
    window: Callable[[Any, Any], float | None] = lambda processor, model: None
    fixed: bool = False
    padded: bool = False
    limit: Callable[[Any, float], int | None] = lambda config, seconds: None
    begins: Callable[[Any], int] = lambda config: int(config.is_encoder_decoder)
    decoding: Mapping[str, Any] = field(default_factory=dict)


def _own(codes: Callable[[Any, Any], Iterable[str]]) -> Callable[[Any, Any, str], str | None]:
    """The code for a tag among those that the model, or its processor, lists as its own."""
    return lambda processor, model, tag: own_code(tag, codes(processor, model))


def _named(constant: str) -> Callable[[Any, Any, str], str | None]:
    """The code for a tag among those in a constant beside the processor's class, the ones that it accepts."""
    return _own(lambda processor, model: getattr(sys.modules[type(processor).__module__], constant))


def into_english(sample: Sample, name: str) -> None:
    """Refuse a sample that asks a model for a translation into another language than English.

    Raises:
        SampleError: it does.
    """
    if sample.written != "eng_Latn":
        raise SampleError(
            f"sample {sample.id}: {name} translates into English alone, not into "
            f"{languages.language(sample.written).name}; set task=transcribe or take another model"
        )


def extractor_of(processor: Any) -> Any:
    """The part of a processor that hears."""
    return getattr(processor, "feature_extractor", None) or processor.audio_processor


def _features(processor: Any, waves: Sequence[NDArray[np.float32]]) -> dict[str, Any]:
    """Features alone; the mask goes with them where the extractor gives one."""
    extractor = extractor_of(processor)
    rate = int(extractor.sampling_rate)
    found = extractor(list(waves), sampling_rate=rate, return_tensors="pt", return_attention_mask=True)
    heard = {"inputs": found[extractor.model_input_names[0]]}
    return heard | ({"attention_mask": found["attention_mask"]} if found.get("attention_mask") is not None else {})


def _plain(processor: Any, waves: Sequence[NDArray[np.float32]], request: Request) -> dict[str, Any]:
    return _features(processor, waves)


def _whisper(processor: Any, waves: Sequence[NDArray[np.float32]], request: Request) -> dict[str, Any]:
    told = {} if request.spoken is None else {"language": request.spoken, "task": request.task}
    return _features(processor, waves) | told


def _seamless(processor: Any, waves: Sequence[NDArray[np.float32]], request: Request) -> dict[str, Any]:
    return _features(processor, waves) | {"tgt_lang": request.written}


def _speech2text(processor: Any, waves: Sequence[NDArray[np.float32]], request: Request) -> dict[str, Any]:
    with np.errstate(all="ignore"):  # silence has no variance to divide by: its features are at their mean
        found = _features(processor, waves)
    found["inputs"] = found["inputs"].nan_to_num(0.0, 0.0, 0.0)
    if request.written is not None:
        found["forced_bos_token_id"] = processor.tokenizer.lang_code_to_id[request.written]
    return found


def _streaming(processor: Any, waves: Sequence[NDArray[np.float32]], request: Request) -> dict[str, Any]:
    return dict(processor(audio=list(waves), sampling_rate=int(extractor_of(processor).sampling_rate)))


def _cohere(processor: Any, waves: Sequence[NDArray[np.float32]], request: Request) -> dict[str, Any]:
    rate = int(extractor_of(processor).sampling_rate)
    found = dict(processor(audio=list(waves), language=request.spoken, sampling_rate=rate, return_tensors="pt"))
    found.pop("audio_chunk_index")  # one clip is one chunk, because the window is that of the extractor
    return found


def _canary(processor: Any, waves: Sequence[NDArray[np.float32]], request: Request) -> dict[str, Any]:
    count = len(waves)
    written = request.written or request.spoken
    return dict(
        processor.apply_transcription_request(
            list(waves), source_language=[request.spoken] * count, target_language=[written] * count
        )
    )


def _request(processor: Any, waves: Sequence[NDArray[np.float32]], request: Request) -> dict[str, Any]:
    return dict(processor.apply_transcription_request(list(waves), language=[request.spoken] * len(waves)))


def _granite(processor: Any, waves: Sequence[NDArray[np.float32]], request: Request) -> dict[str, Any]:
    asked = "can you transcribe the speech into a written format?"
    if request.task == "translate":
        asked = f"translate the speech to {request.written}"
    turn = [{"role": "user", "content": f"{processor.audio_token}{asked}"}]
    template = on_one_day(processor.tokenizer.get_chat_template())
    options = {"chat_template": template, "tokenize": False, "add_generation_prompt": True}
    prompt = processor.tokenizer.apply_chat_template(turn, **options)
    return dict(processor([prompt] * len(waves), list(waves), return_tensors="pt"))


def _per_second(tokens: float) -> Callable[[Any, float], int | None]:
    """A limit in proportion to the clip, within the positions that the decoder has."""
    return lambda config, seconds: max(1, min(int(seconds * tokens), config.max_position_embeddings - 1))


def _half_minutes(config: Any, seconds: float) -> int:
    """256 tokens for each half minute begun: no speech has more, and clips of like length may share a call."""
    return 256 * max(1, -int(-seconds // 30))


NOT_ASKED = frozenset("dia kyutai_speech_to_text pop2piano vibevoice vibevoice_asr voxtral voxtral_realtime".split())
"""Model types that transformers counts as speech to text too, but that are asked in ways that are not known here."""
PLAIN = Family(inputs=_plain)
"""A model that is told nothing, such as SpeechT5 or a `SpeechEncoderDecoderModel`."""

_MOONSHINE_TOKENS = 6.5
"""Tokens a second, from the model card of UsefulSensors/moonshine: more is a hallucination that does not end."""
_SPOKEN, _WRITTEN = ("spoken",), ("written",)
_SEAMLESS = Family(
    inputs=_seamless,
    tells=(_WRITTEN, _WRITTEN),
    code=_own(lambda processor, model: getattr(model.generation_config, "text_decoder_lang_to_code_id", ())),
    into="any",
    begins=lambda config: 2,
)
_GRANITE = Family(
    inputs=_granite,
    tells=((), _WRITTEN),
    code=lambda processor, model, tag: languages.language(tag).name,
    into="any",
    limit=_half_minutes,
)

FAMILIES: dict[str, Family] = {
    "whisper": Family(
        inputs=_whisper,
        tells=(_SPOKEN, _SPOKEN),
        code=lambda processor, model, tag: languages.whisper_code(tag),
        into="English",
        choice=lambda processor, model: bool(getattr(model.generation_config, "is_multilingual", False)),
        window=lambda processor, model: float(extractor_of(processor).chunk_length),
        fixed=True,
        padded=True,
        begins=lambda config: 0,
    ),
    "seamless_m4t": _SEAMLESS,
    "seamless_m4t_v2": _SEAMLESS,
    "moonshine": Family(
        inputs=_plain,
        limit=_per_second(_MOONSHINE_TOKENS),
        window=lambda processor, model: model.config.max_position_embeddings / _MOONSHINE_TOKENS,
    ),
    "moonshine_streaming": Family(
        inputs=_streaming,
        limit=_per_second(_MOONSHINE_TOKENS),
        window=lambda processor, model: model.config.max_position_embeddings / 50,  # each of 20 ms, of the audio too
        fixed=True,
    ),
    "speech_to_text": Family(
        inputs=_speech2text,
        tells=(_WRITTEN, _WRITTEN),
        code=_own(lambda processor, model: processor.tokenizer.lang_code_to_id),
        into="any",
        choice=lambda processor, model: bool(processor.tokenizer.lang_code_to_id),
        window=lambda processor, model: model.config.max_source_positions / 100,
    ),
    "canary": Family(
        inputs=_canary,
        tells=(_SPOKEN, _SPOKEN + _WRITTEN),
        code=_named("LANGUAGE_CODE_TO_NAME"),
        into="any",
        padded=True,
        limit=_half_minutes,
    ),
    "cohere_asr": Family(
        inputs=_cohere,
        tells=(_SPOKEN, ()),
        code=_named("LANGUAGES"),
        window=lambda processor, model: float(extractor_of(processor).max_audio_clip_s),
        fixed=True,
        padded=True,
        limit=_half_minutes,
    ),
    "qwen3_asr": Family(
        inputs=_request,
        tells=(_SPOKEN, ()),
        code=_named("LANGUAGE_CODE_TO_NAME"),
        limit=_half_minutes,
        decoding={"return_format": "transcription_only"},
    ),
    "fun_asr_nano": Family(
        inputs=_request,
        tells=(_SPOKEN, ()),
        code=_named("LANGUAGE_CODE_TO_NAME"),
        limit=_half_minutes,
        decoding={"strip_prefix": True},
    ),
    "granite_speech": _GRANITE,
    "granite_speech_plus": _GRANITE,
}
"""Families by `model_type` of transformers 5.23.0."""
