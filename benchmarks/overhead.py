"""What the loop costs beside the model: a cell of text samples with a model that does nothing, and bare calls of it.

    python benchmarks/overhead.py

The ceiling is the model called on the same batches. The rest is reading, sorting, journal, fsync and scoring.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from loaders.manifest import Manifest
from mmbench.batching import batches
from mmbench.cell import Settings, run_cell
from mmbench.models.echo import Echo
from mmbench.scorers.edit import ErrorRate
from mmbench.task import Task

SAMPLES = 50_000


def main() -> None:
    """Print samples a second and microseconds a sample."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "data.jsonl"
        row = {"language": "eng_Latn", "text": "the quick brown fox", "reference": "the quick brown fox"}
        lines = (json.dumps({"id": str(n), **row}) for n in range(SAMPLES))
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        wer = {"wer": ErrorRate(name="wer", unit="word")}
        task, model = Task(name="text", loader=Manifest(path=str(path)), scorers=wer), Echo()

        begun = time.perf_counter()
        for batch in list(batches(task.samples(), 8)):
            model.generate(batch)
        bare = time.perf_counter() - begun

        figures = {"model alone, on read batches": bare}
        for what in ("whole cell", "the same again (resume)"):
            begun = time.perf_counter()
            run_cell(task, model, folder / "results", Settings(progress=False))
            figures[what] = time.perf_counter() - begun
        print(f"{SAMPLES} samples{'':15} {'seconds':>8} {'samples/s':>10} {'us/sample':>10}")
        for what, seconds in figures.items():
            print(f"{what:28} {seconds:8.2f} {SAMPLES / seconds:10.0f} {seconds / SAMPLES * 1e6:10.1f}")


if __name__ == "__main__":
    main()
