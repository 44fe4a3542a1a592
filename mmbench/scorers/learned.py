"""COMET and BERTScore: metrics that are models themselves.

Their values depend on the model, on its revision and on the version of the code; the signature names all three.
An answer without text scores 0, and so does a failed sample: a model finds some likeness in nothing at all (COMET's
scores of empty translations are far from 0: Zouhar et al. 2024, Pitfalls and Outlooks in Using COMET). Of several
references the one with the highest score counts. A sample without references adds nothing.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mmbench import __version__
from mmbench.errors import ModelLoadError, UsageError
from mmbench.identity import resolve, weights
from mmbench.schema import Text
from mmbench.scorers.mean import MeanOfSamples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mmbench.schema import Output, Sample, Stats

    Pair = tuple[Sample, Output | None]

log = logging.getLogger(__name__)


def _answers(pairs: Sequence[Pair]) -> tuple[Stats, list[tuple[int, str, str]]]:
    """Statistics with a count and no value yet, and the (row, answer, reference) that a model has to look at."""
    stats, jobs = np.zeros((len(pairs), 2)), []
    for row, (sample, output) in enumerate(pairs):
        references = [reference for reference in sample.references if reference.strip()]
        stats[row, 1] = bool(references)
        if output and output.text.strip():
            jobs += [(row, output.text, reference) for reference in references]
    return stats, jobs


def _with_best(stats: Stats, found: Iterable[tuple[int, float]]) -> Stats:
    """The statistics with the highest of the values that were found for each row."""
    best: dict[int, float] = {}
    for row, value in found:
        best[row] = max(value, best.get(row, value))
    for row, value in best.items():
        stats[row, 0] = value
    return stats


@dataclass(frozen=True, kw_only=True)
class BertScore(MeanOfSamples):
    """Mean F1 of greedy matches between contextual embeddings (Zhang et al. 2020, arXiv:1904.09675, section 3), 0 to 1.

    Each token of the answer is matched with the most similar token of the reference, by cosine, and the other way
    round; precision and recall are the means of those. No idf weights, no rescaling with a baseline, which exists for
    few languages: values lie high and close together. The start and end tokens can be matched but are not averaged, as
    in the package bert-score 0.3.13, which is not used because it fails with transformers 5 on any empty answer.

    Args:
        model: an encoder: hub id, folder, or package://NAME/FOLDER.
        layer: whose embeddings are compared; 9 is bert-score's choice for the default model.
        revision: branch, tag or commit on the hub.
        batch_size: pairs of answer and reference at a time.
        device: `auto`, or a torch device.

    Raises:
        UsageError: the model cannot be found, is no encoder, or has no such layer.
    """

    model: str = "bert-base-multilingual-cased"
    layer: int = 9
    revision: str | None = None
    batch_size: int = field(default=64, compare=False)
    device: str = field(default="auto", compare=False)
    name: ClassVar[str] = "bertscore"

    def __post_init__(self) -> None:
        """Look at the model's config, so that a wrong name fails before any model has worked."""
        from transformers import AutoConfig

        from mmbench.models.loading import load_processor

        try:
            config = load_processor(AutoConfig.from_pretrained, self.model, self.revision, None, False)
        except ModelLoadError as error:
            raise UsageError(f"bertscore: {error}") from error
        layers = getattr(config, "num_hidden_layers", 0)
        if config.is_encoder_decoder or not layers:
            raise UsageError(f"bertscore: model={self.model} is no encoder such as BERT or XLM-R; name one")
        if not 1 <= self.layer <= layers:
            raise UsageError(f"bertscore: layer={self.layer}: {self.model} has layers 1 to {layers}")

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """The sample's F1 and 1, of shape (2,); zeros without a reference."""
        row: Stats = self.all_stats([(sample, output)])[0]
        return row

    def all_stats(self, pairs: Sequence[Pair]) -> Stats:
        """Statistics of many samples, of shape (n, 2), in batches of similar length."""
        stats, jobs = _answers(pairs)
        lengths = [max(len(answer), len(reference)) for _, answer, reference in jobs]
        order = sorted(range(len(jobs)), key=lambda index: (lengths[index], jobs[index]))
        found: list[tuple[int, float]] = []
        for start in range(0, len(order), self.batch_size):
            batch = [jobs[index] for index in order[start : start + self.batch_size]]
            texts = list(dict.fromkeys(text for _, *both in batch for text in both))
            embedded = dict(zip(texts, self._embed(texts), strict=True))
            found += [(row, _f1(embedded[answer], embedded[reference])) for row, answer, reference in batch]
        return _with_best(stats, found)

    def _embed(self, texts: list[str]) -> Iterator[tuple[Any, Any]]:
        """Unit vectors of each text's tokens, of shape (tokens, size), and which of them are not special."""
        import torch

        tokenizer, model, limit = _encoder(self.model, self.revision, self.device)
        inputs = tokenizer(
            [text.strip() for text in texts],
            padding=True,
            truncation=True,
            max_length=limit,
            return_special_tokens_mask=True,
            return_tensors="pt",
        )
        special, there = inputs.pop("special_tokens_mask").bool(), inputs["attention_mask"].bool()
        if there.shape[1] == limit:
            _say_cut(self.model, limit)
        with torch.inference_mode():
            hidden = model(**inputs.to(model.device), output_hidden_states=True).hidden_states[self.layer].float().cpu()
        unit = torch.nn.functional.normalize(hidden, dim=-1)
        for row in range(len(texts)):
            yield unit[row][there[row]], ~special[row][there[row]]

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return (
            f"{self.name}|model:{weights(self.model, self.revision)}|layer:{self.layer}|idf:no|rescale:no|refs:best"
            f"|empty:0|transformers:{version('transformers')}|mmbench:{__version__}"
        )


@cache
def _say_cut(model: str, limit: int) -> None:
    log.warning("bertscore: some texts have as many tokens as %s can take (%d); the rest is not compared", model, limit)


@lru_cache(maxsize=1)
def _encoder(location: str, revision: str | None, device: str) -> tuple[Any, Any, int]:
    """Tokeniser, model and the most tokens that it takes. Always float32, whatever the device."""
    from transformers import AutoModel, AutoTokenizer

    from mmbench.models.loading import load_pretrained, load_processor, pick_device

    tokenizer = load_processor(AutoTokenizer.from_pretrained, location, revision, None, False)
    model = load_pretrained(AutoModel.from_pretrained, location, revision, None, "float32", pick_device(device), False)
    return tokenizer, model, min(tokenizer.model_max_length, model.config.max_position_embeddings)


def _f1(answer: tuple[Any, Any], reference: tuple[Any, Any]) -> float:
    (ours, our_words), (theirs, their_words) = answer, reference
    if not our_words.any() or not their_words.any():
        return 0.0
    similar = ours @ theirs.T
    precision = similar.max(dim=1).values[our_words].mean().item()
    recall = similar.max(dim=0).values[their_words].mean().item()
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Comet(MeanOfSamples):
    """Mean score of a COMET model on source, translation and reference (Rei et al. 2020; 2022), mostly 0 to 1.

    The package unbabel-comet wants NumPy 1 and transformers 4 and cannot be installed beside mmbench. It works in an
    environment of its own, whose Python this scorer starts as a process.

    The source is the transcript of the sample's media, or the text of its prompt but for instructions; in a row of a
    file `transcript` or `question`.

    Args:
        model: hub id of a COMET model that takes references, or a checkpoint file.
        python: the interpreter that has unbabel-comet; None is the one that runs now.
        batch_size: segments at a time.

    Raises:
        UsageError: that Python does not have unbabel-comet.
    """

    model: str = "Unbabel/wmt22-comet-da"
    python: str | None = field(default=None, compare=False)
    batch_size: int = field(default=16, compare=False)
    name: ClassVar[str] = "comet"

    def __post_init__(self) -> None:
        """Look for the package, so that its absence is known before any model has worked."""
        _comet_version(self._interpreter)

    @property
    def _interpreter(self) -> str:
        return self.python or sys.executable

    def stats(self, sample: Sample, output: Output | None) -> Stats:
        """The sample's score and 1, of shape (2,); zeros without a reference. For many samples use `all_stats`."""
        row: Stats = self.all_stats([(sample, output)])[0]
        return row

    def all_stats(self, pairs: Sequence[Pair]) -> Stats:
        """Statistics of many samples, of shape (n, 2), from one start of the model.

        Raises:
            UsageError: a sample has no source text, or COMET fails.
        """
        stats, jobs = _answers(pairs)
        rows = [{"src": _source(pairs[row][0]), "mt": answer, "ref": reference} for row, answer, reference in jobs]
        scores = self._ask(rows) if rows else []
        return _with_best(stats, zip((row for row, *_ in jobs), scores, strict=True))

    def _ask(self, rows: list[dict[str, str]]) -> list[float]:
        """Scores of the rows, from the worker in the other environment."""
        worker = Path(__file__).with_name("comet_worker.py")
        with TemporaryDirectory() as folder:
            asked, answered = Path(folder, "rows.json"), Path(folder, "scores.json")
            asked.write_text(json.dumps(rows), encoding="utf-8")
            files = [str(asked), str(answered)]
            command = [self._interpreter, str(worker), resolve(self.model), str(self.batch_size), *files]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode or not answered.exists():
                last = (done.stderr.strip() or "no message").splitlines()[-1]
                raise UsageError(f"comet: model={self.model} gave no scores (status {done.returncode}): {last}")
            scores: list[float] = json.loads(answered.read_text(encoding="utf-8"))
        if len(scores) != len(rows) or not np.isfinite(scores).all():
            raise UsageError(f"comet: {len(scores)} scores for {len(rows)} translations, or some that are no numbers")
        return scores

    def signature(self, languages: Sequence[str]) -> str:
        """Key:value pairs in the style of sacreBLEU; the same for all languages."""
        return (
            f"{self.name}|model:{weights(self.model)}|unbabel-comet:{_comet_version(self._interpreter)}|refs:best"
            f"|empty:0|mmbench:{__version__}"
        )


def _source(sample: Sample) -> str:
    texts = [part.text for part in sample.parts if isinstance(part, Text) and not part.instruction]
    found = sample.transcript if sample.transcript is not None else "\n".join(texts).strip()
    if not found:
        raise UsageError(f"sample {sample.id}: has no source text for comet; rows need 'transcript' or 'question'")
    return found


@cache
def _comet_version(python: str) -> str:
    """Version of unbabel-comet that an interpreter has, without importing it."""
    # COMET looks for pkg_resources and, without a word, computes other scores of some models where it is not there.
    code = "import pkg_resources; from importlib.metadata import version; print(version('unbabel-comet'))"
    try:
        found = subprocess.run([python, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    except OSError as error:
        raise UsageError(f"comet: python={python} cannot be started ({error.strerror}); name an interpreter") from error
    if found.returncode:
        raise UsageError(
            f"comet needs unbabel-comet, which {python} has not and which takes an environment of its own: "
            "python -m venv comet && comet/bin/pip install unbabel-comet 'setuptools<81', "
            "then MMBENCH_COMET_PYTHON=comet/bin/python"
        )
    return found.stdout.strip()
