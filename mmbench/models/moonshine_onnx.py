"""Moonshine, a family of small speech recognisers for one language each, in ONNX format through onnxruntime.

The folder holds `encoder_model` and `decoder_model_merged` as `.onnx` or `.ort`, which is how the weights lie in the
npm package `@usefulsensors/moonshine-js` (`dist/model/NAME/quantized`), in the Python package `moonshine-voice` 0.1.0
and on the hub (`onnx/merged` of UsefulSensors/moonshine). Names of inputs, start and end token and the limit of tokens
are those of the packages `useful-moonshine-onnx` and `moonshine-js`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmbench.errors import ModelLoadError
from mmbench.identity import digest, resolve, weights
from mmbench.models.loading import cannot_load
from mmbench.models.parts import LongAudio, hear, pick_window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Output, Sample

_RATE = 16000
_START, _END = 1, 2
_POSITIONS = 192
"""Tokens that the decoder has positions for beside the start and the end."""
_SHORTEST, _LONGEST = 0.1, 64.0
"""Seconds that the models are made for."""


@dataclass(kw_only=True)
class MoonshineOnnx:
    """Moonshine weights, decoded greedily on the CPU, one clip at a time.

    Args:
        name: name of the model's folder in the results.
        model: folder, or package://NAME/FOLDER.
        tokenizer: file `tokenizer.json`, or package://NAME/FILE; None is that file in the model's folder.
        tokens_per_second: limit of a transcript, which ends loops; 6.5 is the makers' for languages in Latin script.
        least_tokens: what the limit never falls below, because a word can be spoken in half a second.
        window: seconds that the model is given at once; None is 64, which the makers give as the most.
        long_audio: what becomes of longer clips: refuse, truncate or chunk (see `mmbench.models.parts`).
        threads: of onnxruntime; 0 is one for each core.
    """

    name: str
    model: str
    tokenizer: str | None = None
    tokens_per_second: float = 6.5
    least_tokens: int = 8
    window: float | None = None
    long_audio: LongAudio = "refuse"
    threads: int = field(default=0, compare=False)
    _encoder: Any = field(default=None, init=False, repr=False, compare=False)
    _decoder: Any = field(default=None, init=False, repr=False, compare=False)
    _tokenizer: Any = field(default=None, init=False, repr=False, compare=False)

    @property
    def transcribes(self) -> bool:
        """Whether it answers in the language that is spoken, whatever a task asks for."""
        return True

    @property
    def content(self) -> str:
        """Identity of the weights and of the tokenizer."""
        return digest([weights(self.model), None if self.tokenizer is None else weights(self.tokenizer)])

    def load(self) -> None:
        """Load encoder, decoder and tokenizer."""
        if self._decoder is not None:
            return
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ModelLoadError(f"model {self.name} needs tokenizers: pip install 'mmbench[moonshine]'") from error
        folder = Path(resolve(self.model))
        words = folder / "tokenizer.json" if self.tokenizer is None else Path(resolve(self.tokenizer))
        if not words.is_file():
            raise ModelLoadError(f"model {self.name}: there is no {words}; set model.tokenizer to a tokenizer.json")
        self._tokenizer = Tokenizer.from_file(str(words))
        self._encoder = self._session(folder, "encoder_model")
        self._decoder = self._session(folder, "decoder_model_merged")

    def _session(self, folder: Path, stem: str) -> Any:
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelLoadError(f"model {self.name} needs onnxruntime: pip install 'mmbench[moonshine]'") from error
        path = next((path for kind in ("onnx", "ort") if (path := folder / f"{stem}.{kind}").is_file()), None)
        if path is None:
            raise ModelLoadError(f"model {self.name}: there is no {stem}.onnx or {stem}.ort in {self.model}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        try:
            return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a class of its own for each of a dozen reasons
            raise ModelLoadError(cannot_load(str(path), error)) from error

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Transcribe the clips of each sample; several clips give one text."""
        window = pick_window(self.name, _LONGEST, self.window, self.long_audio)
        self.load()
        heard = hear(batch, _RATE, window=window, long_audio=self.long_audio, least=_SHORTEST)
        tokens = [self._transcribe(wave) for wave in heard.waves]
        for wave, own, owner in zip(heard.waves, tokens, heard.owners, strict=True):
            if len(own) == self._limit(len(wave)):
                heard.notes[owner] += (f"stopped after {len(own)} tokens",)
        texts = [self._tokenizer.decode(own, skip_special_tokens=True) for own in tokens]
        return heard.outputs(texts, [len(own) for own in tokens])

    def _limit(self, samples: int) -> int:
        """Tokens that a clip of so many samples may have."""
        return min(_POSITIONS, max(self.least_tokens, int(samples / _RATE * self.tokens_per_second)))

    def _transcribe(self, wave: NDArray[np.float32]) -> list[int]:
        """Tokens of one clip of shape (n,), without start and end."""
        heard = {"input_values": wave[None], "attention_mask": np.ones((1, len(wave)), np.int64)}
        [states] = self._encoder.run(["last_hidden_state"], _wanted(self._encoder, heard))
        names = [entry.name for entry in self._decoder.get_outputs()]
        # Before the first step the cache is of no clip at all, in the shape that the graph declares.
        cache = {
            entry.name: np.zeros((0, entry.shape[1], 1, entry.shape[3]), np.float32)
            for entry in self._decoder.get_inputs()
            if entry.name.startswith("past_key_values")
        }
        tokens = [_START]
        for step in range(self._limit(len(wave))):
            given = {
                "input_ids": np.array([tokens[-1:]], np.int64),
                "encoder_hidden_states": states,
                "encoder_attention_mask": heard["attention_mask"],
                "use_cache_branch": np.array([step > 0]),
            }
            said = dict(zip(names, self._decoder.run(names, _wanted(self._decoder, given) | cache), strict=True))
            best = int(said["logits"][0, -1].argmax())
            if best == _END:
                break
            tokens.append(best)
            for name in cache:
                # What the encoder said is computed in the first step; later ones give back an empty array for it.
                if step == 0 or ".decoder." in name:
                    cache[name] = said[name.replace("past_key_values", "present")]
        return tokens[1:]


def _wanted(session: Any, given: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Those of the inputs that a graph has: older ones have no masks."""
    names = {entry.name for entry in session.get_inputs()}
    return {name: value for name, value in given.items() if name in names}
