"""The command line. This module imports nothing heavy, so that `mmbench --help` answers at once.

Exit status: 0 done, 1 something failed or too much failed, 2 the command itself is wrong, 130 interrupted.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbench.arguments import parser
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
    elif parsed.command == "fetch-images":
        from mmbench.fetch_command import fetch_command

        text, whole = fetch_command(parsed)
        print(text, end="")
        return 0 if whole else 1
    elif parsed.command == "doctor":
        from mmbench.doctor import doctor

        text, healthy = doctor()
        print(text, end="")
        return 0 if healthy else 1
    else:
        parser().print_help()
        return 2
    return 0


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
