"""Kill -9 in the middle of a run, at several points: the same command again loses nothing and repeats nothing."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time

import pytest

from mmbench.score import read_records

SAMPLES = 40
SCRIPT = """
import sys, time
from dataclasses import dataclass, field
from pathlib import Path

from mmbench.cell import Settings, run_cell
from mmbench.schema import Output
from tests.fakes import said, task


@dataclass(kw_only=True)
class Slow:
    log: str = field(compare=False)
    name: str = "slow"

    def load(self):
        pass

    def generate(self, batch):
        time.sleep(0.04)
        with open(self.log, "a") as file:
            file.writelines(sample.id + "\\n" for sample in batch)
        return [Output(text=said(sample)) for sample in batch]


run_cell(task(%d), Slow(log=sys.argv[2]), Path(sys.argv[1]), Settings(batch_size=3, progress=False))
"""


class Run:
    """One results folder and the command that fills it."""

    def __init__(self, folder):
        (folder / "script.py").write_text(SCRIPT % SAMPLES)
        self.folder, self.cell = folder, folder / "results" / "repeat" / "slow"
        self.predictions = self.cell / "predictions.jsonl"

    def start(self, log):
        command = [sys.executable, str(self.folder / "script.py"), str(self.folder / "results"), str(self.folder / log)]
        return subprocess.Popen(command, stderr=subprocess.PIPE)

    def finish(self, log):
        with self.start(log) as process:
            assert process.wait(60) == 0, process.stderr.read().decode()
        return (self.folder / log).read_text().split() if (self.folder / log).exists() else []

    def kill_after(self, count):
        with self.start("first") as process:
            deadline = time.monotonic() + 60
            while self.written().count(b"\n") < count and time.monotonic() < deadline:
                time.sleep(0.001)
            process.kill()

    def written(self):
        return self.predictions.read_bytes() if self.predictions.exists() else b""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing interrupts, and the samples in the order in which it asked for them."""
    run = Run(tmp_path_factory.mktemp("whole"))
    return run, run.finish("only")


@pytest.mark.parametrize("seed", range(4))
def test_kill_and_run_again(tmp_path, whole, seed):
    rng, run = random.Random(seed), Run(tmp_path)
    run.kill_after(rng.randrange(1, SAMPLES - 12))
    if seed % 2:  # as if the kill had come in the middle of the last write
        run.predictions.write_bytes(run.written()[: -rng.randrange(1, 60)])
    kept = [json.loads(line)["sample_id"] for line in run.written().split(b"\n") if line.endswith(b"}")]
    assert kept
    assert len(kept) == SAMPLES or seed % 2 or not (run.cell / "scores.jsonl").exists()
    asked = run.finish("second")
    assert asked == [name for name in whole[1] if name not in kept]
    assert [key for *_, key in read_records(run.predictions, strict=True)] == whole[1]
    assert (run.cell / "scores.jsonl").read_bytes() == (whole[0].cell / "scores.jsonl").read_bytes()
    assert run.finish("third") == []
