"""The command line. This module imports nothing heavy, so that `mmbench --help` answers at once.

Exit status: 0 done, 1 something failed or too much failed, 2 the command itself is wrong, 130 interrupted.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbench import __version__
from mmbench.errors import CellError, MmbenchError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger("mmbench")

_RUN_HELP = """run a task with a model, or a sweep of both (a Hydra application)

  mmbench run task=voice_prompts_asr model=echo            one cell: results/voice_prompts_asr/echo/
  mmbench run -m task=voice_prompts_asr,voice_prompts_translation model=echo,gold
  mmbench run --config-name cascade_vs_end_to_end          a sweep that is kept as a file
  mmbench run task=... model=... input=gold                ask on the transcript; also input=asr:MODEL, s2tt:MODEL
  mmbench run -m task=... model=... condition=noise condition.snr=inf,10,0
  mmbench run -m task=... model=... shots=random shots.count=4,8 shots.seed=0,1,2
  mmbench run task=... model=... --cfg job                 show the composed configuration
  mmbench run task=... model=... limit=5 task.languages=[swh_Latn]
  mmbench run --config-dir ./my_conf task=mine model=mine  your own configs beside the shipped ones

The same command again does only what is missing. 'mmbench run --hydra-help' lists Hydra's own options.
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the `mmbench` script."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a character shows another, and the table is there
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    debug = "--debug" in arguments
    if debug:
        arguments.remove("--debug")
    try:
        status = _dispatch(arguments)
    except MmbenchError as error:
        if debug:
            raise
        print(f"mmbench: error: {printable(str(error))}", file=sys.stderr)
        status = 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        goes_on = "; the same command goes on from here" if arguments[:1] == ["run"] else ""
        print(f"mmbench: interrupted{goes_on}", file=sys.stderr)
        status = 130
    except BrokenPipeError:  # `mmbench list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["run"]:
        if arguments[1:] in ([], ["-h"], ["--help"]):
            print(_RUN_HELP, end="")
            return 0
        return _run(arguments[1:])
    parsed = parser().parse_args(arguments)
    if parsed.command == "list":
        from mmbench.listing import listing

        print(listing(parsed.what), end="")
    elif parsed.command == "score":
        from mmbench.scoring_file import score_file

        print(score_file(parsed), end="")
    elif parsed.command == "compare":
        from mmbench.comparison_file import compare_files

        print(compare_files(parsed), end="")
    elif parsed.command == "calibrate":
        from mmbench.calibration import calibrate_files

        print(calibrate_files(parsed), end="")
    elif parsed.command == "report":
        from mmbench.report import draw, report

        folders = [Path(path) for path in parsed.results]
        print(report(folders, parsed.format, parsed.by), end="")
        if parsed.plot is not None:
            for path in draw(folders, parsed.plot):
                print(path, file=sys.stderr)
    elif parsed.command == "doctor":
        from mmbench.doctor import doctor

        text, healthy = doctor()
        print(text, end="")
        return 0 if healthy else 1
    else:
        parser().print_help()
        return 2
    return 0


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
    _add_scorer(file)
    file.add_argument("--by", metavar="FIELD", nargs="+", default=[], action="extend", help="also by these fields")
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
    commands.add_parser("doctor", help="what works on this machine, and what to do about what does not")
    return top


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def _add_scorer(command: argparse.ArgumentParser) -> None:
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
    command.add_argument("--format", choices=["table", "json"], default="table")


def _run(arguments: list[str]) -> int:
    """Hand over to Hydra, and turn what it raises into one line."""
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from mmbench.cell_config import cell_name
    from mmbench.config import conf_dir, name_folders, one_line

    name_folders(cell_name)
    # Hydra prints and exits by itself unless it is told to let errors through.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    sys.argv = ["mmbench run", *arguments]
    application = hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")(job)
    global _failures
    _failures = []
    try:
        application()
    except (HydraException, OmegaConfBaseException) as error:
        raise UsageError(one_line(error)) from error
    except OSError as error:  # Hydra makes the folder of a cell before we can
        raise UsageError(f"{error.filename}: {error.strerror}; give another results=") from error
    if len(_failures) > 1:
        raise CellError(f"{len(_failures)} cells of the sweep failed; the first: {_failures[0]}")
    if _failures:
        raise _failures[0]
    return 0


_failures: list[MmbenchError] | None = None
"""What failed in this process; None in a worker of a launcher, where a failure can only be raised."""


_SETTINGS = ("batch_size", "limit", "max_failed", "retry_failed")
_KEYS = {"task", "model", "condition", "shots", "input", "data", "results", "allow", *_SETTINGS}


def job(cfg: Any) -> float:
    """One cell of a sweep, called by Hydra; returns the macro score of the task's first scorer for optimisers."""
    try:
        return _job(cfg)
    except MmbenchError as error:
        failure = error
        if _sweeping():  # the other cells go on; the sweep ends with this error
            log.error("%s", error)
            failure = CellError(str(error))
        if _failures is None:
            raise failure from error
        # Raised at the end instead of here, where Hydra would print lines of its own about it.
        _failures.append(failure)
        return float("nan")


def _job(cfg: Any) -> float:
    from mmbench.cell import Settings, TooManyFailed, run_cell
    from mmbench.cell_config import check_heard, model_reading, task_under, task_with
    from mmbench.config import build, names, resolve, unknown
    from mmbench.report import cell_table

    plain = resolve(cfg)
    extra = sorted(set(plain) - _KEYS)
    if extra:  # +batchsize=4 would add a key that nothing reads
        raise UsageError(f"{extra[0]} is no setting of a run; known are {', '.join(sorted(_KEYS))}")
    for name in plain["data"]:
        if name not in names("loader"):  # else a slip of the pen would read from the hub
            raise UsageError(f"data.{name}: {unknown('loader', name, names('loader'))}")
    asked = task_with(task_under(plain["task"], plain["condition"], plain["allow"]), plain["shots"])
    answers = model_reading(plain["model"], plain["input"], str(Path(plain["results"]) / "stages.sqlite"))
    check_heard(plain["input"], plain["condition"], answers, plain["allow"])
    task, model = build(asked, allow=plain["allow"]), build(answers, allow=plain["allow"])
    settings = Settings(**{key: plain[key] for key in _SETTINGS})
    try:
        scores, outcome = run_cell(task, model, Path(plain["results"]), settings, config=plain)
    except TooManyFailed as error:
        print(cell_table(error.scores, error.outcome), end="", flush=True)
        raise
    print(cell_table(scores, outcome), end="", flush=True)
    first = next(iter(task.scorers.values())).name
    return next((row.value for row in scores if row.metric == first and row.language == "macro"), float("nan"))


def _sweeping() -> bool:
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


if __name__ == "__main__":
    main()
