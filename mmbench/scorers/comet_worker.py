"""Scores translations with unbabel-comet. `learned.Comet` runs this file with another Python, so it imports no mmbench.

Arguments: the model, the batch size, a JSON file of rows with src, mt and ref, and the JSON file to write scores to.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path


def main(model: str, batch_size: int, rows: Path, scores: Path) -> None:
    """Load the model, from a checkpoint file or the hub, and write one score for each row."""
    comet, torch = import_module("comet"), import_module("torch")
    loaded = comet.load_from_checkpoint(model if Path(model).is_file() else comet.download_model(model))
    asked = json.loads(rows.read_text(encoding="utf-8"))
    gpus = int(torch.cuda.is_available())
    found = loaded.predict(asked, batch_size=batch_size, gpus=gpus, progress_bar=False)
    scores.write_text(json.dumps([float(score) for score in found["scores"]]), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
