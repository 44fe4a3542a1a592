"""Which speech models may get clips of several lengths in one batch, and which of their frames are speech.

An answer must not depend on what else is in the batch, and padding is heard by models that are given no mask or that
normalise over time. Those get their clips one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_DEAF = frozenset("hubert parakeet_ctc parakeet_encoder unispeech unispeech-sat wav2vec2 wav2vec2-bert wavlm".split())
"""Types of models whose every layer leaves masked frames out. The convolutions of others (Wav2Vec2Conformer, SEW,
Data2VecAudio) carry them into the speech beside them, whatever the mask says."""
_FRAMES = "_get_feature_vector_attention_mask"
"""The method by which wav2vec 2.0 and its relatives say which frames are left of a mask after striding."""
_CONFORMER_FRAMES = "_get_output_attention_mask"
"""The same of Parakeet."""


def takes_padding(extractor: Any, model: Any) -> bool:
    """Whether a model is deaf to padding: it was trained with a mask, and no group norm runs over time."""
    # The adapter of wav2vec 2.0 is another convolution without a mask.
    deaf = model.config.model_type in _DEAF and not getattr(model.config, "add_adapter", False)
    masked = bool(getattr(extractor, "return_attention_mask", False)) and deaf
    return masked and not any(type(module).__name__ == "GroupNorm" for module in model.modules())


def speech_frames(model: Any, mask: torch.Tensor, frames: int) -> torch.Tensor:
    """Which of a model's `frames` are speech, as booleans of shape (clips, frames), from the mask of its input."""
    import torch

    if hasattr(model, _FRAMES):
        return torch.as_tensor(getattr(model, _FRAMES)(frames, mask)).bool()
    if hasattr(model, _CONFORMER_FRAMES):
        return torch.as_tensor(getattr(model, _CONFORMER_FRAMES)(mask, target_length=frames)).bool()
    # Whisper halves the frames of its window: the share of them that is speech stays the same, rounded up.
    speech = -(-mask.sum(1, dtype=torch.long) * frames // mask.shape[1])
    return torch.arange(frames, device=mask.device)[None] < speech.clamp(min=1)[:, None]
