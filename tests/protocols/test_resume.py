"""A run that is stopped in the midst and continued with other batches gives what an undisturbed one gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.protocols.running import check_same, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmbench.schema import Output, Sample
    from tests.protocols.running import Cells


@pytest.mark.parametrize(("before", "after"), [(1, 4), (3, 1)])
@pytest.mark.parametrize(
    ("name", "protocol"),
    [("whisper", "asr"), ("qwen2_audio", "topic"), ("audioflamingo3", "mcqG"), ("seamless+llama", "mcq")],
)
def test_stopped_after_the_first_batch(
    cells: Cells, monkeypatch: pytest.MonkeyPatch, name: str, protocol: str, before: int, after: int
) -> None:
    task, model, results = cells.task(protocol), cells.model(name), cells.folder()
    whole = cells.run(task, model, 2)
    asked: list[str] = []
    answer: Any = getattr(model, task.method)

    def stopped(batch: Sequence[Sample]) -> list[Output]:
        if asked:
            raise KeyboardInterrupt
        return counted(batch)

    def counted(batch: Sequence[Sample]) -> list[Output]:
        asked.extend(sample.id for sample in batch)
        outputs: list[Output] = answer(batch)
        return outputs

    monkeypatch.setattr(model, task.method, stopped)
    with pytest.raises(KeyboardInterrupt):
        cells.run(task, model, before, results=results)
    half = read(results / task.name / model.name)
    assert len(half.rows) == before < len(whole.rows)
    assert not half.scores, "half a cell has no scores"
    monkeypatch.setattr(model, task.method, counted)
    check_same(whole, cells.run(task, model, after, results=results))
    assert sorted(asked) == sorted(whole.rows), "what was answered is not asked again"
