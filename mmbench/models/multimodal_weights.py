"""Which class of transformers loads a multimodal model, and the adapters that belong to its weights."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mmbench.errors import ModelLoadError
from mmbench.models.loading import load_processor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CHAIN: Mapping[str, str] = {
    "AutoModelForMultimodalLM": "MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES",
    "AutoModelForImageTextToText": "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES",
    "AutoModelForSeq2SeqLM": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
    "AutoModelForCausalLM": "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
}
"""Auto classes in the order in which they are asked for a type of model, and what each of them knows."""
_OURS = "'mmbench[multimodal]'"
_PACKAGES: Mapping[str, str] = {
    "torchvision": _OURS,
    "num2words": _OURS,
    "timm": _OURS,
    "mistral-common": "'mistral-common[audio]'",
    "torchaudio": "torchaudio",
    "librosa": "librosa",
}
"""What processors ask for beyond transformers' own dependencies, and what installs it."""


def pick_loader(name: str, config: Any, *, trust: bool, adapter: str | None) -> Callable[..., Any]:
    """The `from_pretrained` for a model's configuration.

    Args:
        name: of the model, for messages.
        config: its configuration.
        trust: whether code that comes with the weights may run.
        adapter: subfolder with an adapter to lay over the weights.

    Raises:
        ModelLoadError: no class knows the type, it is an encoder-decoder, or it needs a package that is not installed.
    """
    if config.is_encoder_decoder:
        raise ModelLoadError(
            f"model {name}: {config.model_type} is an encoder-decoder; model=speech_to_text takes those that hear, "
            "model=image_to_text those that see"
        )
    if (adapter is not None or getattr(config, "has_lora_adapter", False)) and find_spec("peft") is None:
        raise ModelLoadError(f"model {name}: its weights come with an adapter, which needs peft: pip install {_OURS}")
    if config.model_type.startswith("voxtral") and find_spec("mistral_common") is None:
        raise ModelLoadError(f"model {name}: its text needs mistral-common: pip install 'mistral-common[audio]'")
    loader = _loader(name, config, trust)
    return loader if adapter is None else _adapted(loader, adapter)


def _loader(name: str, config: Any, trust: bool) -> Callable[..., Any]:
    import transformers
    from transformers.models.auto import modeling_auto

    remote = getattr(config, "auto_map", None) or {} if trust else {}
    for auto, mapping in _CHAIN.items():
        kind = getattr(modeling_auto, mapping).get(config.model_type)
        if kind is None and auto not in remote:
            continue
        # Of a model that also speaks, only the part that thinks is loaded.
        thinker = getattr(transformers, str(kind).replace("For", "ThinkerFor", 1), None)
        found: Callable[..., Any] = (thinker or getattr(transformers, auto)).from_pretrained
        return found
    raise ModelLoadError(
        f"model {name}: no class of transformers {transformers.__version__} makes text of the model type "
        f"{config.model_type}; choose a language model that hears or sees"
    )


def load_parts(name: str, loader: Callable[..., Any], *source: Any) -> Any:
    """`load_processor`, whose error names the package to install where one is missing.

    Raises:
        ModelLoadError: it cannot be loaded.
    """
    try:
        return load_processor(loader, *source)
    except ModelLoadError as error:
        said = str(error.__cause__).lower().replace("_", "-") if isinstance(error.__cause__, ImportError) else ""
        package = next((package for package in _PACKAGES if package in said), None)
        if package is None:
            raise
        mend = f"pip install {_PACKAGES[package]}"
        raise ModelLoadError(f"model {name}: its processor needs {package}: {mend}") from error


@cache
def _adapted(loader: Callable[..., Any], adapter: str) -> Callable[..., Any]:
    """The loader with an adapter over what it loads; one object for each, because loaded models are kept by it."""

    def load(path: str, **options: Any) -> Any:
        model, info = loader(path, **options)
        place = {"subfolder": adapter, "revision": options.get("revision")}
        model.load_adapter(path, adapter_name=adapter, adapter_kwargs=place)
        model.set_adapter(adapter)
        return model, info

    return load
