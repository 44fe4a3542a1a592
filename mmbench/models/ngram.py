"""CTC decoding by beam search with an n-gram language model of words, through pyctcdecode and KenLM."""

from __future__ import annotations

import logging
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbench.errors import ModelLoadError
from mmbench.identity import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

_INSTALL = "pip install 'mmbench[ngram]' && pip install --no-deps pyctcdecode==0.5.0"
"""pyctcdecode 0.5.0 works with numpy 2, but what it says of itself forbids it, so that pip must be told twice."""


def word_decoder(labels: Sequence[str], *, blank: str, space: str | None, path: str, alpha: float, beta: float) -> Any:
    """A `pyctcdecode.BeamSearchDecoderCTC` for a model's labels.

    Words that the n-gram does not know are possible at a price; the words of an .arpa file also guide the search
    inside a word, a binary file does not list its words.

    Args:
        labels: the model's labels by index: characters, or pieces of words that begin with U+2581 (▁) at word starts.
        blank: the label that stands for nothing.
        space: the label between words; None where pieces of words say where one begins.
        path: KenLM file, .arpa or binary, of words spelled as the model spells them; also package://NAME/FILE.
        alpha: weight of the language model.
        beta: bonus for each word.

    Raises:
        ModelLoadError: pyctcdecode or KenLM is not installed, the file is not there or is none, or two labels
            are the same.
    """
    try:
        import_module("kenlm")  # pyctcdecode goes on without it and fails later
        build = import_module("pyctcdecode").build_ctcdecoder
    except ImportError as error:
        raise ModelLoadError(f"model.ngram needs {error.name}: {_INSTALL}") from error
    file = Path(resolve(path))
    if not file.is_file():
        raise ModelLoadError(f"model.ngram={path}: there is no such file; give KenLM's .arpa or binary file")
    logging.getLogger("pyctcdecode").setLevel(logging.ERROR)  # it warns of every small vocabulary
    spelled = ["" if label == blank else " " if label == space else label for label in labels]
    try:
        return build(spelled, str(file), alpha=alpha, beta=beta)
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelLoadError(f"model.ngram={path}: cannot be used with this model ({reason})") from error
