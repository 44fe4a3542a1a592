"""Every protocol on every architecture: what the table says runs does, in any batch; the rest is refused clearly."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mmbench.cell import Settings, TooManyFailed, run_cell
from mmbench.errors import CellError
from tests.protocols.coverage import ANSWERS, PROTOCOLS, REFUSALS
from tests.protocols.coverage import cells as table
from tests.protocols.running import Untouched, read

if TYPE_CHECKING:
    from mmbench.schema import Model
    from mmbench.task import Task
    from tests.protocols.running import Cells

HEARD = ("asr", "hears")


def test_the_table_is_whole() -> None:
    found = table()
    assert {protocol for _, protocol in found} == set(PROTOCOLS)
    assert set(found.values()) <= {*ANSWERS, *REFUSALS, "reads", "-rank"}


@pytest.mark.parametrize(("name", "protocol", "word"), [(*key, word) for key, word in table().items()])
def test_cell(cells: Cells, name: str, protocol: str, word: str) -> None:
    task = cells.task(protocol)
    told = {"translates": True} if protocol == "st" else {}
    model = cells.model(name, **told)
    if word == "-rank":
        refused_unread(task, model, cells)
    elif word in ANSWERS:
        cells.both(task, model)
    else:
        refused(task, model, REFUSALS["-ear" if word == "reads" else word], cells)
    if word == "reads":
        cells.both(task, cells.model(name, reads="gold", **told))


@pytest.mark.parametrize("name", [name for (name, protocol), word in table().items() if (protocol, word) == HEARD])
def test_answers_depend_on_the_recording(cells: Cells, name: str) -> None:
    """Or else equal answers in all batches would show nothing."""
    rows = cells.run(cells.task("asr"), cells.model(name), 4).rows.values()
    assert len({row["prediction"] for row in rows}) > 1


def refused_unread(task: Task, model: Model, cells: Cells) -> None:
    """Refused before data are read or weights are loaded, and without a folder of results."""
    folder = cells.folder()
    settings = Settings(progress=False)
    with pytest.raises(CellError, match=rf"^model \S+ offers no loglikelihood, which task {task.name} needs; choose"):
        run_cell(replace(task, loader=Untouched()), model, folder, settings)
    assert not folder.exists()


def refused(task: Task, model: Model, message: str, cells: Cells) -> None:
    """Each sample has an error row that says why, and the cell fails."""
    folder = cells.folder()
    with pytest.raises(TooManyFailed, match=r"(\d+) of \1 samples failed"):
        run_cell(task, model, folder, Settings(batch_size=1, limit=1, progress=False))
    for row in read(folder / task.name / model.name).rows.values():
        assert re.match(message, row["error"]["message"])
