"""How likely a model finds the text of a document, node by node, read raw: no chat template, no question.

A text is tokenised by itself, with a line end after it, so that its tokens are the same whatever stands around it. Each
document has a forward of its own: what a text-only model says of it is then the same number with images and without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mmbench.errors import ModelLoadError, SampleError, UsageError
from mmbench.models.continuations import plain_tokens
from mmbench.models.loading import import_torch, keeping, slack
from mmbench.schema import Image, Output, Part, Reading, Sample, Text

_SLICE = 256
"""Positions whose probabilities are computed at a time: 4,000 of them in float32 over 150,000 tokens are 2.4 GB."""


class Seen(NamedTuple):
    """The images of a document as a model takes them.

    Args:
        runs: the tokens that stand for each image.
        place: the features of the whole document, from its tokens with a number before each run of an image (its
            place among the images) and before each text (None).
    """

    runs: Sequence[tuple[int, ...]]
    place: Callable[[Sequence[tuple[int | None, tuple[int, ...]]]], dict[str, Any]]


See = Callable[[Sample, Sequence[Image]], Seen]
"""How a model takes the images of a document."""


class Piece(NamedTuple):
    """A part of a document: its tokens, and the bytes of a text that is scored (0 of all else)."""

    tokens: tuple[int, ...]
    bytes: int = 0
    image: int | None = None


def pick_context(name: str, own: int, wanted: int | None) -> int:
    """Tokens of a document that are read: the setting `context`, or else what the model takes.

    Raises:
        UsageError: the model takes fewer.
    """
    if wanted is None:
        return own
    if not 1 < wanted <= own:
        raise UsageError(
            f"model {name}: context={wanted}, but the model takes 2 to {own} tokens; leave it out or mend it"
        )
    return wanted


@dataclass(slots=True, kw_only=True)
class Documents:
    """Reads documents with one model.

    Args:
        name: of the model, for messages.
        model: the model itself.
        tokenizer: of its text.
        context: number of tokens that it takes.
        placeholders: tokens that stand for media and that no text becomes.
    """

    name: str
    model: Any
    tokenizer: Any
    context: int
    placeholders: frozenset[int] = frozenset()
    _causal: bool = field(default=False, init=False)
    _known: tuple[tuple[int, ...], tuple[float, ...]] = field(default=((), ()), init=False)

    def read(self, sample: Sample, see: See | None = None) -> Output:
        """Log-likelihood of each text node of a document that is no instruction.

        Args:
            sample: the document: its parts, in order.
            see: how the model takes images; None is a model that takes none, which reads the text alone.

        Raises:
            SampleError: it is no document of text and images, or not even its first text fits.
            ModelLoadError: the model looks ahead, or has no token to begin a text with.
        """
        parts, notes = self._parts(sample, see)
        nodes = sum(_scored(part) for part in parts)
        while True:
            seen = None if see is None else see(sample, [part for part in parts if isinstance(part, Image)])
            pieces = self._pieces(parts, seen)
            count = self._fitting(sample, pieces)
            if count == len(parts):
                break
            parts = parts[:count]  # images may take other tokens without those that are dropped: look again
        if (kept := sum(_scored(part) for part in parts)) < nodes:
            notes.append(f"kept {kept} of {nodes} nodes")
        readings = self._readings(pieces, self._likelihoods(pieces, seen))
        return Output(text="", readings=readings, tokens=sum(each.tokens for each in readings), notes=tuple(notes))

    def _parts(self, sample: Sample, see: See | None) -> tuple[list[Part], list[str]]:
        for part in sample.parts:
            if not isinstance(part, Text | Image):
                kind = type(part).__name__.lower()
                raise SampleError(f"sample {sample.id} holds {kind}; a document is read as text and images alone")
        if not any(_scored(part) and part.text.strip() for part in sample.parts if isinstance(part, Text)):
            raise SampleError(f"sample {sample.id} is a document without text, so nothing of it can be scored")
        unseen = sum(isinstance(part, Image) for part in sample.parts) if see is None else 0
        last = max(index for index, part in enumerate(sample.parts) if _scored(part))  # what follows it is never read
        parts = [part for part in sample.parts[: last + 1] if see is not None or isinstance(part, Text)]
        return parts, [f"{unseen} image{'s' * (unseen > 1)} not seen"] if unseen else []

    def _pieces(self, parts: Sequence[Part], seen: Seen | None) -> list[Piece]:
        pieces, place = [], 0
        for part in parts:
            if isinstance(part, Text):
                line = f"{part.text}\n"
                tokens = tuple(plain_tokens(self.tokenizer, line, self.placeholders))
                pieces.append(Piece(tokens, len(line.encode()) if _scored(part) else 0))
            elif seen is not None:
                pieces.append(Piece(seen.runs[place], image=place))
                place += 1
        return pieces

    def _fitting(self, sample: Sample, pieces: Sequence[Piece]) -> int:
        """How many parts there are up to the last scored text that fits."""
        length, kept, needed = 1, 0, 0
        for index, piece in enumerate(pieces):
            length += len(piece.tokens)
            if piece.bytes:
                needed = needed or length
                kept = index + 1 if length <= self.context else kept
        if not kept:
            raise SampleError(
                f"sample {sample.id}: its first text ends after {needed} tokens, {self.name} takes {self.context}; "
                "shorten it"
            )
        return kept

    def _start(self) -> int:
        found = (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id)
        start = next((token for token in found if token is not None), None)
        if start is None:
            raise ModelLoadError(f"model {self.name}: it has neither BOS nor EOS to begin a document with")
        return int(start)

    def _likelihoods(self, pieces: Sequence[Piece], seen: Seen | None) -> tuple[float, ...]:
        """Log-likelihood of each token of the scored texts, in order."""
        torch = import_torch()
        ids = (self._start(), *(token for piece in pieces for token in piece.tokens))
        if seen is None and ids == self._known[0]:  # the variants of a document are one text to a model that sees none
            return self._known[1]
        laid = [(None, ids[:1]), *((piece.image, piece.tokens) for piece in pieces)]
        if seen is not None:
            inputs = seen.place(laid)
        else:
            tokens = torch.tensor([ids], device=self.model.device)
            inputs = {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
        scored: list[int] = []
        end = 1
        for piece in pieces:
            scored += range(end, end + len(piece.tokens)) if piece.bytes else ()
            end += len(piece.tokens)
        found = token_likelihoods(self.model, inputs, scored)
        if not self._causal and len(scored) > 1:
            self._check_causal(inputs, scored, found)
        if seen is None:
            self._known = (ids, found)
        return found

    def _check_causal(self, inputs: dict[str, Any], scored: Sequence[int], found: Sequence[float]) -> None:
        """Refuse a model whose reading of a text depends on what comes after it: it would have seen the answer."""
        half = len(scored) // 2
        changed = inputs["input_ids"].clone()
        changed[:, scored[half:]] = self._start()
        other = token_likelihoods(self.model, {**inputs, "input_ids": changed}, scored[:half])
        most = slack(self.model.dtype)
        if any(abs(a - b) > most * max(1.0, abs(a)) for a, b in zip(found, other, strict=False)):
            raise ModelLoadError(
                f"model {self.name}: what it makes of a text depends on what comes after it, so that a document has no "
                "likelihood; choose a causal model"
            )
        self._causal = True

    def _readings(self, pieces: Sequence[Piece], likelihoods: Sequence[float]) -> tuple[Reading, ...]:
        readings: list[Reading] = []
        begin = 0
        for piece in pieces:
            if piece.bytes:
                own = likelihoods[begin : begin + len(piece.tokens)]
                readings.append(Reading("", len(readings), sum(own), len(own), piece.bytes))
                begin += len(own)
        return tuple(readings)


def _scored(part: Part) -> bool:
    return isinstance(part, Text) and not part.instruction


def token_likelihoods(model: Any, inputs: dict[str, Any], positions: Sequence[int]) -> tuple[float, ...]:
    """Log-likelihood of the tokens at some positions of one text, each after all tokens before it.

    Args:
        model: the model.
        inputs: its features, of one text.
        positions: of the tokens, ascending, none of them 0.
    """
    torch = import_torch()
    before = torch.tensor(positions, device=model.device) - 1
    found: list[float] = []
    with torch.inference_mode():
        logits = model(**inputs, **keeping(model, before)).logits[0]
        if len(logits) != len(positions):
            logits = logits[before]
        wanted = inputs["input_ids"][0, before + 1]
        for start in range(0, len(positions), _SLICE):
            some = slice(start, start + _SLICE)
            logprobs = logits[some].float().log_softmax(-1)
            found += logprobs.gather(1, wanted[some, None])[:, 0].tolist()
    return tuple(found)
