"""Documents read by a tiny model of a real architecture, through the tasks of conf/."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from loaders.fixtures import interleaved as fake
from loaders.interleaved.tasks import TASKS
from mmbench.config import build, compose, resolve
from mmbench.protocol import answering
from mmbench.schema import Text

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the model is too small to share

from tests.models.tiny_multimodal import build as tiny
from tests.models.tiny_multimodal import make

if TYPE_CHECKING:
    from mmbench.models.multimodal import MultimodalLM
    from mmbench.schema import Output, Sample
    from mmbench.task import Task


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> MultimodalLM:
    return make(tiny("llava", tmp_path_factory.mktemp("llava")))


def task(name: str, **settings: Any) -> Task:
    node = resolve(compose([f"+task={name}"], name="empty")["task"])
    node["loader"].update({"location": "fixture://interleaved", "languages": ["en"], "max_nodes": 5, **settings})
    found: Task = build(node)
    return found


def answers(found: Task, model: MultimodalLM, limit: int = 2) -> list[tuple[Sample, Output]]:
    samples = list(found.samples(limit=limit))
    return list(zip(samples, answering(found, model)(samples), strict=True))


def scored(sample: Sample) -> list[str]:
    return [part.text for part in sample.parts if isinstance(part, Text) and not part.instruction]


@pytest.mark.parametrize("layout", ["moscar", "obelics", "mmc4", "webdataset"])
def test_bits(model: MultimodalLM, layout: str) -> None:
    found = task(f"{layout}_bits")
    totals = {name: 0.0 for name in found.scorers}
    for sample, output in answers(found, model):
        sizes = [len(f"{text}\n".encode()) for text in scored(sample)]
        for variant in ("images", "none", "shuffled"):
            own = [reading for reading in output.readings if reading.variant == variant]
            assert [reading.bytes for reading in own] == sizes
        for name, scorer in found.scorers.items():
            totals[name] += float(scorer.reduce(scorer.stats(sample, output)))
    assert totals["bits_per_byte"] > 0
    assert totals["image_gain"] == pytest.approx(totals["bits_per_byte_none"] - totals["bits_per_byte"], abs=1e-9)
    assert totals["image_gain"] != 0, "the model sees"


def test_a_mark_in_the_text_is_text(model: MultimodalLM) -> None:
    found = task("moscar_bits", max_nodes=None)
    (sample, output), *_ = answers(found, model, limit=1)
    assert scored(sample)[-1] == fake.MARKED
    last = [reading for reading in output.readings if reading.variant == "images"][-1]
    assert last.bytes == len(fake.MARKED.encode()) + 1
    assert last.tokens == last.bytes, "of this tokenizer every byte of a text is a token, those of a mark as well"
    assert not output.notes


@pytest.mark.parametrize("name", ["order", "next_image"])
def test_variants(model: MultimodalLM, name: str) -> None:
    found = task(f"moscar_{name}", max_nodes=None)
    for sample, output in answers(found, model):
        kinds = {reading.variant for reading in output.readings}
        assert kinds == {"images", *sample.variants}
        texts = scored(sample)
        assert len(output.readings) == len(kinds) * len(texts)
        assert len(texts) == 1 or name == "order", "what stands before is given"
        assert len({reading.loglikelihood for reading in output.readings if reading.node == len(texts) - 1}) > 1
        (scorer,) = found.scorers.values()
        assert scorer.stats(sample, output)[1] == 1


@pytest.mark.parametrize("name", ["association", "cloze"])
def test_choices(model: MultimodalLM, name: str) -> None:
    found = task(f"moscar_{name}", max_nodes=None)
    for sample, output in answers(found, model):
        assert len(output.choice_scores) == len(output.prior_scores) == 4
        assert all(scorer.stats(sample, output).shape for scorer in found.scorers.values())


@pytest.mark.parametrize("layout", ["moscar", "obelics", "mmc4", "webdataset"])
@pytest.mark.parametrize("name", TASKS)
def test_every_layout_has_every_task(layout: str, name: str) -> None:
    found = task(f"{layout}_{name}", max_nodes=None)
    assert found.name == f"{layout}_{name}"
    assert len(list(found.samples(limit=2))) == 2
