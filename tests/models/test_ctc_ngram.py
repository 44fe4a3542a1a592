"""Beam search with an n-gram: it changes what is near, hears no padding, and says what it lacks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mmbench.errors import ModelLoadError
from mmbench.identity import describe
from mmbench.models.ctc import CTC
from mmbench.models.ngram import word_decoder
from tests.models.tiny_ctc import parakeet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mmbench.schema import Sample

LABELS = ["<pad>", "|", "c", "a", "u", "t"]
ARPA = r"""
\data\
ngram 1=5
ngram 2=3

\1-grams:
-1.0	<unk>	0
0	<s>	-0.3
-1.0	</s>	0
-0.5	cat	-0.2
-2.0	cut	-0.2

\2-grams:
-0.2	<s> cat
-0.3	cat </s>
-1.5	<s> cut

\end\
"""


@pytest.fixture
def arpa(tmp_path: Path) -> str:
    pytest.importorskip("kenlm", reason="the extra ngram is not installed")
    pytest.importorskip("pyctcdecode", reason="pyctcdecode is not installed")
    (tmp_path / "words.arpa").write_text(ARPA.lstrip(), encoding="utf-8")
    return str(tmp_path / "words.arpa")


def frames(letters: str, **rival: float) -> np.ndarray:
    """Log-probabilities in which each frame has one label, and the middle one rivals."""
    scores = np.full((len(letters), len(LABELS)), -8.0)
    for row, letter in zip(scores, letters, strict=True):
        row[LABELS.index(letter) if letter != "_" else 0] = 0.0
    for letter, score in rival.items():
        scores[1, LABELS.index(letter)] = score
    return (scores - np.log(np.exp(scores).sum(1, keepdims=True))).astype(np.float32)


def test_the_language_model_settles_what_is_near(arpa: str) -> None:
    near = frames("cut_", a=-0.5)
    assert "".join(LABELS[i] for i in near.argmax(1)) == "cut<pad>"
    settings = {"blank": "<pad>", "space": "|", "path": arpa, "beta": 0.0}
    assert word_decoder(LABELS, alpha=0.0, **settings).decode(near) == "cut"
    assert word_decoder(LABELS, alpha=2.0, **settings).decode(near) == "cat"
    assert word_decoder(LABELS, alpha=2.0, **settings).decode(frames("cut_", a=-7.9)) == "cut", "sound can outweigh it"


def test_repeats_and_blanks_are_removed_and_words_parted(arpa: str) -> None:
    decoder = word_decoder(LABELS, blank="<pad>", space="|", path=arpa, alpha=0.5, beta=1.5)
    assert decoder.decode(frames("cc_aat_|cat")) == "cat cat"
    assert decoder.decode(frames("ca_at")) == "caat", "a blank parts letters that are the same"


@pytest.mark.parametrize("kind", ["layer", "group", "parakeet"])
def test_batched_equals_single(
    make_wav2vec2: Callable[..., Path], tmp_path: Path, arpa: str, spoken: list[Sample], kind: str
) -> None:
    folder = parakeet(tmp_path / kind) if kind == "parakeet" else make_wav2vec2(kind)
    model = CTC(name="ctc", model=str(folder), ngram=arpa, beam_width=8, device="cpu")
    single = [model.generate([sample])[0].text for sample in spoken[:4]]
    assert len(set(single)) == 4
    assert [output.text for output in model.generate(spoken[:4])] == single


def test_the_n_gram_is_part_of_what_a_model_is(make_wav2vec2: Callable[..., Path], arpa: str) -> None:
    folder = str(make_wav2vec2("layer"))
    plain, rescored = CTC(name="ctc", model=folder), CTC(name="ctc", model=folder, ngram=arpa)
    assert describe(plain)["content"] != describe(rescored)["content"]


def test_a_file_that_is_none_is_named(arpa: str, tmp_path: Path) -> None:
    settings = {"blank": "<pad>", "space": "|", "alpha": 0.5, "beta": 1.5}
    with pytest.raises(ModelLoadError, match=r"nowhere\.arpa: there is no such file"):
        word_decoder(LABELS, path=str(tmp_path / "nowhere.arpa"), **settings)
    (tmp_path / "text.arpa").write_text("words, not an n-gram\n", encoding="utf-8")
    with pytest.raises(ModelLoadError, match=r"text\.arpa: cannot be used"):
        word_decoder(LABELS, path=str(tmp_path / "text.arpa"), **settings)
    with pytest.raises(ModelLoadError, match="duplicate"):
        word_decoder([*LABELS, "a"], path=arpa, **settings)


@pytest.mark.parametrize("package", ["kenlm", "pyctcdecode"])
def test_what_is_not_installed_is_said_in_one_line(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kenlm", None if package == "kenlm" else sys)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelLoadError, match=rf"needs {package}: pip install 'mmbench\[ngram\]'"):
        word_decoder(LABELS, blank="<pad>", space="|", path="x.arpa", alpha=0.5, beta=1.5)
