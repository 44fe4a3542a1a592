"""What the command line takes, but for `mmbench run`, whose arguments are Hydra's; imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from mmbench import __version__


def parser() -> argparse.ArgumentParser:
    """The parser of everything but `run`, whose arguments are Hydra's."""
    top = argparse.ArgumentParser(
        prog="mmbench", description="Benchmark suite for multilingual multimodal and speech models."
    )
    top.add_argument("--version", action="version", version=f"mmbench {__version__}")
    top.add_argument("--debug", action="store_true", help="show tracebacks")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("run", help="run a task with a model, or a sweep of both", add_help=False)
    what = commands.add_parser(
        "list", help="list tasks, models, scorers, conditions, shots, prompts, experiments, languages"
    )
    known = ["tasks", "models", "scorers", "conditions", "shots", "prompts", "loaders", "experiments", "languages"]
    what.add_argument("what", nargs="?", choices=known, help="all but languages if left out")
    file = commands.add_parser(
        "score",
        help="score outputs made elsewhere, or a predictions.jsonl again",
        description="Score JSON lines: sample_id, language, prediction, and references or choices and answer.",
    )
    file.add_argument("file", metavar="FILE.jsonl", type=Path)
    _add_scorer(file, formats=("table", "json", "csv"))
    file.add_argument(
        "--by", metavar="FIELD", nargs="+", default=[], action="extend", help="also by these fields; csv: its columns"
    )
    file.add_argument(
        "--columns",
        metavar="VALUE=HEADING",
        nargs="+",
        default=[],
        action="extend",
        help="with --format csv: the columns in order, and their headings (default: the values, sorted)",
    )
    file.add_argument(
        "--worst", metavar="N", type=_count, default=0, help="show how the N worst answers align (error rates)"
    )
    two = commands.add_parser(
        "compare",
        help="compare two files of outputs, paired by sample id, with interval and test",
        description="The difference A minus B by language. With --topline, A is a cascade, B an end-to-end model, and "
        "a second table says what recognition costs and how far both are from the reference transcript.",
    )
    two.add_argument("a", metavar="A.jsonl", type=Path)
    two.add_argument("b", metavar="B.jsonl", type=Path)
    _add_scorer(two)
    two.add_argument(
        "--test", default="auto", help="mcnemar, mapsswe or randomisation; auto is the field's own for the metric"
    )
    two.add_argument("--intersect", action="store_true", help="leave out samples that only one of the files has")
    two.add_argument(
        "--topline", metavar="FILE", type=Path, help="outputs of the cascade's reader for the reference transcripts"
    )
    two.add_argument(
        "--error-scorer", metavar="NAME", help="error rate inside the cascade, for --topline (default: wer_asr)"
    )
    judged = commands.add_parser(
        "calibrate", help="compare a judge's scores with human ones: agreement and bias by language"
    )
    judged.add_argument("judged", metavar="JUDGED.jsonl", type=Path, help="predictions.jsonl of a judge")
    judged.add_argument("human", metavar="HUMAN.jsonl", type=Path, help='rows {"sample_id", "language", "human"}')
    judged.add_argument("--scorer", default="judge", help="how the judge's text is read (default: judge)")
    judged.add_argument("--format", choices=["table", "json"], default="table")
    judged.add_argument(
        "--out", metavar="FILE", type=Path, help="keep the record, for the scorer's setting calibration"
    )
    results = commands.add_parser("report", help="tables of results: languages x models, with intervals")
    results.add_argument("results", metavar="RESULTS", nargs="+", help="folders of results, searched for scores.jsonl")
    results.add_argument(
        "--by", metavar="FIELD", nargs="+", default=[], action="extend", help="also by script, family, region ..."
    )
    results.add_argument("--format", choices=["table", "markdown", "json"], default="table")
    results.add_argument(
        "--plot", metavar="FOLDER", type=Path, help="also draw scores by condition into this folder, as SVG and PNG"
    )
    _add_fetch(
        commands.add_parser(
            "fetch-images",
            help="bring the images that documents name by URL into a local store, before they are evaluated",
            description="Say what a loader's documents want and, with --yes, fetch it. It can be stopped at any time: "
            "the same command goes on. Nothing is ever fetched by mmbench run.",
        )
    )
    commands.add_parser("doctor", help="what works on this machine, and what to do about what does not")
    return top


def _add_fetch(command: argparse.ArgumentParser) -> None:
    """What says which images are fetched, and how."""
    command.add_argument(
        "loader", metavar="LOADER", help="a loader of interleaved documents: moscar, obelics, mmc4 ..."
    )
    command.add_argument("settings", metavar="KEY=VALUE", nargs="*", help="its settings: images=FOLDER at_most=100 ...")
    command.add_argument("--yes", action="store_true", help="fetch; without it only what would be fetched is counted")
    command.add_argument("--retry", action="store_true", help="try again what failed before")
    command.add_argument("--contact", metavar="WHO", default="", help="address or page that servers' owners are shown")
    command.add_argument("--delay", type=float, default=1.0, help="seconds between requests to one host (default: 1)")
    command.add_argument("--workers", type=int, default=16, help="hosts that are asked at once (default: 16)")
    command.add_argument("--private", action="store_true", help="allow addresses of this machine and private networks")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def _add_scorer(command: argparse.ArgumentParser, formats: tuple[str, ...] = ("table", "json")) -> None:
    """What says how answers are scored."""
    command.add_argument(
        "--scorer", required=True, help="wer, cer, mer, bleu, chrf, chrf++, accuracy ... (mmbench list scorers)"
    )
    command.add_argument("--normalizer", metavar="NAME", help="text normaliser, for wer, cer, mer and others")
    command.add_argument("--tokenize", metavar="NAME", help="tokeniser, for bleu")
    command.add_argument(
        "--set", metavar="KEY=VALUE", nargs="+", default=[], action="extend", help="further settings of the scorer"
    )
    command.add_argument(
        "--cluster",
        metavar="FIELD",
        default="auto",
        help="group field whose samples are not independent, for intervals; auto: cluster, document or speaker where "
        "every language has ten or more; none",
    )
    command.add_argument("--format", choices=formats, default="table")
