"""A condition is heard by whatever listens, a cascade's stage too, and alike in any batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mmbench.cell_config import task_under
from mmbench.config import build
from tests.protocols.running import composed

if TYPE_CHECKING:
    from tests.protocols.running import Cells

CONDITIONS = {"noise": "noise_white_10dB", "speed": "speed_1.1x", "opus": "opus_16k"}


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize(
    ("name", "protocol"),
    [("wav2vec2", "asr"), ("qwen2_audio", "topic"), ("qwen2_5_omni_thinker", "mcq"), ("seamless+llama", "topic")],
)
def test_a_condition_is_heard_in_any_batch(cells: Cells, name: str, protocol: str, condition: str) -> None:
    task = build(task_under(cells.config(protocol), composed("condition", condition)))
    assert task.name == f"{cells.task(protocol).name}@{CONDITIONS[condition]}"
    under = cells.both(task, cells.model(name))
    clean = cells.run(cells.task(protocol), cells.model(name), 4)
    assert under.rows.keys() == clean.rows.keys(), "the same items, so that pairs can be made"
    for key, row in under.rows.items():
        heard = [(each["prediction"], each.get("choice_scores")) for each in (row, clean.rows[key])]
        assert heard[0] != heard[1]
