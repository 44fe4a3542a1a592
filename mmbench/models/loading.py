"""Where a model runs and how its weights get there: device, dtype, local folders, packages, hubs, GGUF files."""

from __future__ import annotations

import inspect
import logging
import os
import re
import warnings
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbench.errors import CellError, ModelLoadError, UsageError, one_line
from mmbench.identity import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import dtype as TorchDtype

    from mmbench.schema import Model

log = logging.getLogger(__name__)


def load(model: Model) -> None:
    """Load a model; whatever goes wrong is a ModelLoadError, because no sample is to blame."""
    try:
        model.load()
    except (CellError, UsageError):
        raise
    except Exception as error:
        raise ModelLoadError(
            f"model {model.name} cannot be loaded: {type(error).__name__}: {one_line(error)}"
        ) from error


def import_torch() -> Any:
    """Import torch with as many threads as the process may use cores.

    Raises:
        ModelLoadError: it is not installed or does not load.
    """
    try:
        import torch
    except (ImportError, OSError) as error:
        raise ModelLoadError(
            f"torch cannot be imported ({error}); pip install torch==2.11.0 torchaudio==2.11.0"
        ) from error
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    return torch


def pick_device(device: str) -> str:
    """The device for "auto" (the accelerator where there is one), or the one that was asked for.

    Raises:
        ModelLoadError: it is not there.
    """
    torch = import_torch()
    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        wanted = torch.device(device)
    except RuntimeError as error:
        raise ModelLoadError(f"device={device}: torch knows no such device; take auto, cpu, cuda or cuda:1") from error
    counts = {
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }
    count = counts.get(wanted.type)
    if count is not None and (wanted.index or 0) >= count:
        raise ModelLoadError(f"device={device}: torch finds {count} such devices on this machine; take device=auto")
    return device


def precision(model: Any) -> str:
    """Number format that a model's settings come to on this machine; empty where they say nothing of it."""
    if not hasattr(model, "dtype"):
        return ""
    return str(pick_dtype(model.dtype, pick_device(getattr(model, "device", "auto"))))


def pick_dtype(dtype: str, device: str) -> TorchDtype:
    """The torch dtype for a name; "auto" is bfloat16 on CUDA and float32 elsewhere."""
    torch = import_torch()
    name = ("bfloat16" if device.startswith("cuda") else "float32") if dtype == "auto" else dtype
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise ModelLoadError(f"dtype={dtype}: torch has no such dtype; take auto, float32, bfloat16 or float16")
    picked: TorchDtype = found
    return picked


def slack(dtype: TorchDtype) -> float:
    """How far two ways to one likelihood may differ in a number format, as a share of it: 1e-4 in float32."""
    return max(1e-4, 8 * float(import_torch().finfo(dtype).eps))


def keeping(model: Any, wanted: Any) -> dict[str, Any]:
    """The argument by which a model's forward computes logits of some positions alone; nothing where it has none.

    Args:
        model: the model.
        wanted: how many of the last positions, or a tensor of positions.
    """
    return {"logits_to_keep": wanted} if "logits_to_keep" in inspect.signature(model.forward).parameters else {}


def placed(tensor: Any, model: Any) -> Any:
    """A tensor on a model's device, in the model's dtype unless it holds integers or a mask."""
    return tensor.to(model.device, model.dtype if tensor.is_floating_point() else None)


_UNUSED = re.compile(r"masked_spec_embed|\bpooler\.|position_ids$|num_batches_tracked$|final_logits_bias|sinusoidal")
"""Tensors that checkpoints leave out: they count in training alone, are never chance, or no wrapper reads them."""


@lru_cache(maxsize=2)
def load_pretrained(
    loader: Callable[..., Any],
    location: str,
    revision: str | None,
    gguf_file: str | None,
    dtype: str,
    device: str,
    trust: bool,
) -> Any:
    """Load a transformers model and keep the last two, so that the cells of a sweep in one process share them.

    Args:
        loader: a `from_pretrained`.
        location: hub id, folder, or package://NAME/FOLDER.
        revision: branch, tag or commit on the hub.
        gguf_file: name of a GGUF file in the location.
        dtype: name of the dtype, or auto.
        device: device, already picked.
        trust: whether code that comes with the weights may run.

    Raises:
        ModelLoadError: there are no such weights, or they do not fit the class, or lack what it needs.
    """
    quiet()
    path = resolve(location)
    options: dict[str, Any] = {"revision": revision, "trust_remote_code": trust, "dtype": pick_dtype(dtype, device)}
    options["output_loading_info"] = True
    if gguf_file is not None:
        options["gguf_file"] = gguf_file
        _hush_gguf()
    try:
        model, info = loader(path, **options)
    except Exception as error:  # transformers raises almost anything here
        raise ModelLoadError(cannot_load(location, error)) from error
    # transformers fills these with chance and says so in a warning alone: a classifier without a head would answer.
    if missing := sorted(key for key in info["missing_keys"] if not _UNUSED.search(key)):
        raise ModelLoadError(
            f"{location}: its weights lack {len(missing)} of the tensors of {type(model).__name__}, such as "
            f"{missing[0]}; it is a model of another kind, or was not tuned for this task"
        )
    return model.to(device).eval()


def load_processor(
    loader: Callable[..., Any], location: str, revision: str | None, gguf_file: str | None, trust: bool
) -> Any:
    """Load a tokenizer, feature extractor or processor; arguments and errors as in `load_pretrained`."""
    quiet()
    options: dict[str, Any] = {"revision": revision, "trust_remote_code": trust}
    if gguf_file is not None:
        options["gguf_file"] = gguf_file
    try:
        return loader(resolve(location), **options)
    except Exception as error:
        raise ModelLoadError(cannot_load(location, error)) from error


def gguf_adds_bos(location: str, revision: str | None, gguf_file: str) -> bool:
    """Whether a GGUF file wants its first token before each text; transformers' tokenizer for it never adds it."""
    try:
        from gguf import GGUFReader
        from transformers.utils import cached_file

        fields = GGUFReader(cached_file(resolve(location), gguf_file, revision=revision)).fields
        found = fields.get("tokenizer.ggml.add_bos_token")
        # What llama.cpp takes where the file does not say.
        return bool(found.contents()) if found else fields["tokenizer.ggml.model"].contents() == "llama"
    except Exception as error:
        raise ModelLoadError(cannot_load(location, error)) from error


def cannot_load(location: str, error: Exception) -> str:
    """One line for weights that cannot be loaded."""
    if location.startswith(("/", ".", "~")) and not Path(location).exists():
        return f"{location}: there is no such folder; give a folder of weights, a hub id, or package://NAME/FOLDER"
    detail = " ".join(str(error).split())[:300]
    hub = not location.startswith("package://") and not Path(location).exists()
    mend = (
        "give a folder, or a hub id with the hub in reach" if hub else "the folder does not hold what this model needs"
    )
    return f"{location}: cannot be loaded ({type(error).__name__}: {detail}); {mend}"


def _hush_gguf() -> None:
    """Switch off the bar of the GGUF reader, which knows no setting for it."""
    from transformers import modeling_gguf_pytorch_utils as reader

    if hasattr(reader, "tqdm"):
        reader.tqdm = partial(reader.tqdm, disable=True)


def quiet() -> None:
    """Keep transformers' own progress bars and advice out of ours."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    # WavLM's own code does it, once a process, and nothing that a caller passes changes that.
    warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")
    if not log.isEnabledFor(logging.DEBUG):
        transformers_logging.set_verbosity_error()
