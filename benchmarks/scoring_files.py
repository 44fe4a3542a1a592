"""`mmbench score` and `mmbench compare` on 100,000 rows in 20 languages, beside the libraries that do a part of it.

    python benchmarks/scoring_files.py [ROWS]

Every line is a process of its own, start-up and reading included: seconds of the wall clock and peak memory. The others
print one value a language; sacreBLEU also its bootstrap interval, or its paired test. Ours print value, interval, what
failed and the mean over languages with its interval, and the differences their test too.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LANGUAGES = (
    "eng_Latn deu_Latn fra_Latn spa_Latn ita_Latn por_Latn nld_Latn pol_Latn tur_Latn swh_Latn "
    "rus_Cyrl ukr_Cyrl arb_Arab pes_Arab hin_Deva ben_Beng tam_Taml tel_Telu kor_Hang vie_Latn"
).split()
WORDS = 11
RESAMPLES = 2000
_SCRIPTS = {"Latn": "abcdefghijklmnoprstuvz", "Cyrl": "абвгдежзиклмнопрстуя", "Arab": "ابتثجحخدرسعفقكلمنهوي"}
_OTHER = {
    "Deva": "कखगघचजटडतदनपबमयरलसह",
    "Beng": "কখগঘচজটডতদনপবমযরলসহ",
    "Taml": "கசடதபறயரலவழளமன",
    "Telu": "కఖగఘచజటడతదనపబమయరలసహ",
}
_ALPHABETS = {**_SCRIPTS, **_OTHER, "Hang": "가나다라마바사아자차카타파하"}


def make(path: Path, rows: int, wrong: float, seed: int) -> None:
    """Write a file of outputs with a share of wrong words; the references are the same for every seed."""
    fixed, draw = random.Random(0), random.Random(seed)
    words = {
        tag: ["".join(fixed.choices(_ALPHABETS[tag[4:]], k=fixed.randint(2, 8))) for _ in range(2000)]
        for tag in LANGUAGES
    }
    with path.open("w", encoding="utf-8") as file:
        for index in range(rows):
            tag = LANGUAGES[index % len(LANGUAGES)]
            reference = fixed.choices(words[tag], k=WORDS)
            said = [word if draw.random() > wrong else draw.choice(words[tag]) for word in reference]
            row = {"sample_id": f"s{index}", "language": tag, "prediction": " ".join(said)}
            file.write(json.dumps({**row, "references": [" ".join(reference)]}, ensure_ascii=False) + "\n")


def read(path: str) -> dict[str, tuple[list[str], list[str]]]:
    """References and predictions by language."""
    found: dict[str, tuple[list[str], list[str]]] = {tag: ([], []) for tag in LANGUAGES}
    with Path(path).open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            found[row["language"]][0].append(row["references"][0])
            found[row["language"]][1].append(row["prediction"])
    return found


def peer(name: str, a: str, b: str) -> None:
    """What one of the other libraries does; run in a process of its own."""
    first = read(a)
    if name == "jiwer":
        import jiwer

        values = {tag: jiwer.wer(*pair) for tag, pair in first.items()}
    elif name == "torchmetrics":
        from torchmetrics.functional.text import word_error_rate

        values = {tag: float(word_error_rate(pair[1], pair[0])) for tag, pair in first.items()}
    elif name == "sacrebleu":
        from sacrebleu.metrics.bleu import BLEU

        values = {
            tag: BLEU(force=True).corpus_score(pair[1], [pair[0]], n_bootstrap=RESAMPLES).score
            for tag, pair in first.items()
        }
    else:
        from sacrebleu.metrics.bleu import BLEU
        from sacrebleu.significance import PairedTest

        second, values = read(b), {}
        for tag, pair in first.items():
            systems = [("a", pair[1]), ("b", second[tag][1])]
            test = PairedTest(systems, {"BLEU": BLEU(force=True)}, [pair[0]], test_type="ar", n_samples=RESAMPLES)
            values[tag] = test()[1]["BLEU"][1].p_value
    print(values["eng_Latn"])


def measured(command: list[str]) -> tuple[float, float, str]:
    """Seconds, peak memory in MB and what was printed."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - begun, used.ru_maxrss / 1024, out


def main(rows: int) -> None:
    """Print the table."""
    python = [sys.executable, "-m", "mmbench"]
    with tempfile.TemporaryDirectory() as folder:
        a, b = (str(Path(folder) / f"{name}.jsonl") for name in "ab")
        make(Path(a), rows, 0.10, 1)
        make(Path(b), rows, 0.11, 2)
        this = [sys.executable, str(Path(__file__).resolve())]
        jobs = {
            "WER": {
                "mmbench score --scorer wer": [*python, "score", a, "--scorer", "wer", "--format", "json"],
                "jiwer, values alone": [*this, "jiwer", a, b],
                "torchmetrics, values alone": [*this, "torchmetrics", a, b],
            },
            "BLEU": {
                "mmbench score --scorer bleu": [*python, "score", a, "--scorer", "bleu", "--format", "json"],
                f"sacrebleu, {RESAMPLES} resamples": [*this, "sacrebleu", a, b],
            },
            "difference": {
                "mmbench compare --scorer wer": [*python, "compare", a, b, "--scorer", "wer", "--format", "json"],
                "mmbench compare --scorer bleu": [*python, "compare", a, b, "--scorer", "bleu", "--format", "json"],
                "sacrebleu paired test of BLEU": [*this, "paired", a, b],
            },
        }
        print(f"{rows} rows in {len(LANGUAGES)} languages, {WORDS} words each; one core")
        print(f"{'':34} {'seconds':>8} {'of first':>9} {'MB':>6}")
        for what, systems in jobs.items():
            base = None
            for name, command in systems.items():
                seconds, memory, _ = measured(["taskset", "-c", "0", *command])
                base = base or seconds
                print(f"{what + ': ' + name:45} {seconds:8.2f} {seconds / base:9.2f} {memory:6.0f}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        peer(*sys.argv[1:])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
