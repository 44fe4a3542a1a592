"""The images of a document as a multimodal model takes them: the tokens of each one, and its pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

from mmbench.errors import ModelLoadError, SampleError
from mmbench.models.continuations import BY_TOKEN
from mmbench.models.conversation import Conversation, Reader, converse
from mmbench.models.document_likelihood import Seen
from mmbench.models.frames import literal, mark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mmbench.schema import Image, Sample

Features = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Sight:
    """Looks at the images of documents.

    A processor is asked for the images alone, each between two control tokens, by which its tokens are known: how many
    there are depends on its size. Text never goes through the processor, so that none of it becomes a placeholder.

    Args:
        reader: what the model takes.
        processor: of the model.
        features: of a sample in conversations under a frame, on the model's device.
    """

    reader: Reader
    processor: Any
    features: Callable[[Sample, Sequence[Conversation], str], Features]

    def __call__(self, sample: Sample, images: Sequence[Image]) -> Seen:
        """The images, in order.

        Raises:
            SampleError: the processor refuses one of them, or does not keep them apart.
            ModelLoadError: it makes something for each token that cannot be laid out anew.
        """
        reader = replace(self.reader, system=None)
        asked = converse(replace(sample, parts=tuple(images)), reader)
        features = self.features(sample, [asked], self._frame())
        ids = features["input_ids"][0].tolist()
        between = [index for index, token in enumerate(ids) if token == self._separator()]
        if len(between) != len(images) + 1 or between[0] != 0 or between[-1] != len(ids) - 1:
            raise SampleError(f"sample {sample.id}: the processor of {reader.name} does not keep its images apart")
        self._check(features, len(ids))
        spans = [slice(start + 1, end) for start, end in pairwise(between)]
        return Seen([tuple(ids[span]) for span in spans], lambda laid: _placed(features, spans, laid))

    def _separator(self) -> int:
        return int(self.processor.tokenizer.eos_token_id)

    def _frame(self) -> str:
        """Jinja that writes a control token, and then each image and another one."""
        apart = literal(self.processor.tokenizer.eos_token)
        shown = literal(mark(self.processor, "image"))
        return f"{apart}{{% for b in messages[-1].content %}}{shown}{apart}{{% endfor %}}"

    def _check(self, features: Features, count: int) -> None:
        """Refuse features with a value for each token that are not known here: they would be of another text."""
        for key, value in features.items():
            shape = getattr(value, "shape", ())
            by_token = tuple(shape[:2]) == (1, count) and not value.is_floating_point()
            if key not in BY_TOKEN and by_token and (len(shape) > 2 or key.endswith("_ids")):
                raise ModelLoadError(f"model {self.reader.name}: documents cannot be read with its feature {key}")


def _placed(features: Features, spans: Sequence[slice], laid: Sequence[tuple[int | None, tuple[int, ...]]]) -> Features:
    """The features with those of each token laid out anew; pixels stay as they are, and 0 is a token of text."""
    own: dict[str, list[list[int]]] = {key: [] for key in BY_TOKEN if key in features}
    for image, tokens in laid:
        for key, values in own.items():
            if key == "input_ids":
                values.append(list(tokens))
            elif key == "attention_mask":
                values.append([1] * len(tokens))
            else:
                values.append([0] * len(tokens) if image is None else features[key][0, spans[image]].tolist())
    flat = {key: features[key].new_tensor([list(chain(*values))]) for key, values in own.items()}
    return {**features, **flat}
