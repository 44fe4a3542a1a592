"""Every protocol with images on every architecture: what the tables say runs does, in any batch; or it is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from loaders.fixtures._pictures import drawing
from mmbench.cell import Settings, run_cell
from mmbench.config import build
from mmbench.errors import CellError, UsageError
from mmbench.media.fonts import find_font
from mmbench.models.cascade import Cascade
from mmbench.protocol import answering
from mmbench.schema import QUERY, Image, Sample, Text
from tests.models.conftest import make_llama  # noqa: F401
from tests.protocols.image_coverage import ANSWERS, METHODS, PROTOCOLS, REFUSALS
from tests.protocols.image_coverage import cells as table
from tests.protocols.image_systems import SEES, Constant, ImageCells, ImageWeights, Unseeing, check_same, numbers_of
from tests.protocols.running import Untouched, read
from tests.protocols.test_coverage import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mmbench.schema import Model, Output, Part
    from mmbench.task import Task
    from tests.protocols.running import Ran

pytestmark = [
    pytest.mark.filterwarnings("ignore:At least one mel filter"),  # they are that small
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # PaliGemma's, of Pillow
]
FIVE = SEES[:5]


@pytest.fixture(scope="session")
def cells(
    make_llama: Callable[..., Path],  # noqa: F811
    stamps: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> ImageCells:
    """The runner."""
    weights = ImageWeights(tmp_path_factory.mktemp("seeing"), llama=lambda: make_llama(chat=True, positions=4096))
    return ImageCells(weights, stamps, tmp_path_factory.mktemp("seen"))


def test_the_table_is_whole() -> None:
    found = table()
    assert {protocol for _, protocol in found} == set(PROTOCOLS)
    assert set(found.values()) <= {*ANSWERS, "some", *REFUSALS, *METHODS}
    assert len({name for name, _ in found}) * len(PROTOCOLS) == len(found)


@pytest.mark.parametrize(("name", "protocol", "word"), [(*key, word) for key, word in table().items()])
def test_cell(cells: ImageCells, name: str, protocol: str, word: str) -> None:
    if protocol == "page" and not drawn():
        pytest.skip("needs fontconfig and the font DejaVu Sans")
    task, model = cells.task(protocol), cells.model(name)
    if word in METHODS:
        refused_unread(task, model, METHODS[word], cells)
    elif word in REFUSALS:
        refused(task, model, REFUSALS[word], cells)
    elif word == "some":
        partly(task, model, REFUSALS["-one"], cells)
    else:
        cells.both(task, model)


def drawn() -> bool:
    """Whether texts can be drawn here."""
    try:
        return find_font("DejaVu Sans") is not None
    except UsageError:
        return False


def refused_unread(task: Task, model: Model, method: str, cells: ImageCells) -> None:
    """Refused before data are read or weights are loaded, and without a folder of results."""
    folder = cells.folder()
    with pytest.raises(CellError, match=rf"^model \S+ offers no {method}, which task {task.name} needs; choose"):
        run_cell(replace(task, loader=Untouched()), model, folder, Settings(progress=False))
    assert not folder.exists()


def partly(task: Task, model: Model, message: str, cells: ImageCells) -> None:
    """Those samples are refused that it cannot take, and the others beside them in a batch are answered."""
    found = []
    for size in (1, 4):
        folder = cells.folder()
        run_cell(task, model, folder, Settings(batch_size=size, limit=3, max_failed=1.0, progress=False))
        found.append(read(folder / task.name / model.name))
    failed = [row["error"]["message"] for row in found[0].rows.values() if "error" in row]
    assert 0 < len(failed) < len(found[0].rows) and all(re.match(message, each) for each in failed)
    check_same(*found)


DECIDES = [(name, protocol) for name in SEES for protocol in ("one", "two", "find", "bits", "few")]
DECIDES += [(name, "one") for name in ("blip2_opt", "florence2", "paligemma", "clip", "siglip")]
DECIDES += [(name, "find") for name in ("clip", "siglip")]


@pytest.mark.parametrize(("name", "protocol"), DECIDES)
def test_what_is_seen_decides(cells: ImageCells, name: str, protocol: str) -> None:
    """Or else equal answers in all batches would show nothing: with other images, each of them, they are others."""
    task = cells.task(protocol)
    ask = answering(task, cells.model(name))
    samples = list(task.samples(1))
    others = [_with_other_images(sample) for sample in samples]
    for own, other in zip(ask(samples), ask(others), strict=True):
        assert max(abs(a - b) for a, b in zip(numbers_of(own), numbers_of(other), strict=True)) > 1e-3


def _with_other_images(sample: Sample) -> Sample:
    def turned(parts: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(Image(drawing("another")) if isinstance(part, Image) else part for part in parts)

    return replace(sample, parts=turned(sample.parts), variants={k: turned(v) for k, v in sample.variants.items()})


@pytest.mark.parametrize("protocol", ["few", "fewG"])
def test_demonstrations_are_seen(cells: ImageCells, protocol: str) -> None:
    """Each of the two has its own image, and the first one's decides as well."""
    sample = next(cells.task(protocol).samples(1))
    first, second, own = (part for part in sample.parts if isinstance(part, Image))
    assert first != own != second
    parts = list(sample.parts)
    parts[parts.index(first)] = Image(drawing("another"))
    model: Any = cells.model("qwen2_vl")
    vectors = np.array([output.vectors[QUERY] for output in model.embed([sample, replace(sample, parts=tuple(parts))])])
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3


def mixed() -> list[Sample]:
    """Prompts that differ in length, in the number of their images, and in the sizes of these."""
    a, b, c = (Image(drawing(name, width=w, height=h)) for name, w, h in (("a", 64, 64), ("b", 40, 96), ("c", 128, 32)))
    long = Text("A much longer question about what stands here, which the shorter ones beside it are padded to.")
    prompts = [(a, Text("What?")), (long,), (b, Text("?")), (a, Text("or"), c, long), (Text("x"),), (c, long), (a, b)]
    return [Sample(id=f"s{index}", language="eng_Latn", parts=parts) for index, parts in enumerate(prompts)]


def answers(model: Any, batch: list[Sample]) -> tuple[list[str], np.ndarray]:
    """Generated texts and vectors."""
    vectors = [output.vectors[QUERY] for output in model.embed(batch)]
    return [output.text for output in model.generate(batch)], np.array(vectors)


@pytest.mark.parametrize("name", SEES)
def test_prompts_of_other_lengths_are_padded_on_their_left(
    cells: ImageCells, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    model, batch = cells.model(name), mixed()
    alone = [answers(model, [sample]) for sample in batch]
    masks = watched(model, monkeypatch)
    texts, vectors = answers(model, batch)
    assert texts == [text for own, _ in alone for text in own]
    assert vectors == pytest.approx(np.concatenate([own for _, own in alone]), abs=1e-5)
    assert model._processor.tokenizer.padding_side == "left"  # type: ignore[attr-defined]
    padded = [row for mask in masks for row in mask.tolist() if 0 in row]
    assert len(padded) >= 4 and all(row == sorted(row) for row in padded), "zeros stand before ones"


@pytest.mark.parametrize("name", FIVE)
def test_padding_on_the_right_would_change_answers(
    cells: ImageCells, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What the test above would say of a tokenizer that is left as it was saved; Omni's processor sets the side."""
    model: Any = cells.model(name)
    batch = mixed()
    texts, vectors = answers(model, batch)
    monkeypatch.setattr(model._processor.tokenizer, "padding_side", "right")
    masks = watched(model, monkeypatch)
    wrong, other = answers(model, batch)
    assert any(row[-1] == 0 for mask in masks for row in mask.tolist())
    moved = np.abs(vectors - other).max(1)
    assert (moved[[0, 2, 4, 6]] > 0.05).all() and (moved[[1, 3, 5]] < 1e-5).all(), "those that are padded"
    assert wrong != texts


def watched(model: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Masks of all that the model is given from now on."""
    masks: list[Any] = []
    features = model._features

    def watch(*given: Any) -> Any:
        found = features(*given)
        masks.append(found["attention_mask"])
        return found

    monkeypatch.setattr(model, "_features", watch)
    return masks


def test_a_text_model_pads_on_the_left_too(cells: ImageCells, monkeypatch: pytest.MonkeyPatch) -> None:
    told: Any = cells.model("echo+llama")
    batch = mixed()
    texts = [output.text for output in told.generate(batch)]
    assert texts == [told.generate([sample])[0].text for sample in batch]
    pad = told.llm._pad
    monkeypatch.setattr(told.llm, "_pad", lambda rows, *, left: pad(rows, left=False))
    assert texts != [output.text for output in told.generate(batch)]


def test_a_text_model_gains_nothing_from_images(cells: ImageCells) -> None:
    """Not nearly nothing: the text is the same and has one forward, so that the bits are the same to the last digit."""
    found = scored(cells.run(cells.task("bits"), cells.model("llama"), 4, limit=3))
    assert found["image_gain"] == found["image_gain_shuffled"] == 0.0
    assert found["bits_per_byte"] == found["bits_per_byte_none"] == found["bits_per_byte_shuffled"] > 0
    assert scored(cells.run(cells.task("order"), cells.model("llama"), 4, limit=3))["variant_accuracy"] == 0.0


def test_a_stage_that_says_the_same_of_every_image_cannot_tell_them_apart(cells: ImageCells) -> None:
    told = Cascade(name="constant+llama", caption=Constant(), llm=cells.model("llama"))
    found = scored(cells.both(cells.task("bits"), told, limit=3))
    assert found["image_gain_shuffled"] == 0.0 != found["image_gain"]


@pytest.mark.parametrize("name", SEES)
def test_a_model_that_sees_gains_something(cells: ImageCells, name: str) -> None:
    """It may be less than nothing, as its weights are random."""
    found = scored(cells.run(cells.task("bits"), cells.model(name), 4, limit=3))
    assert abs(found["image_gain"]) > 1e-4 < abs(found["image_gain_shuffled"])


def test_who_sees_nothing_scores_a_half_of_commute(cells: ImageCells) -> None:
    """Exactly: both rows of a pair ask the same choices in one order, and each is right once."""
    llama = cells.model("llama")
    blind: list[Any] = [
        Cascade(name="constant+llama", caption=Constant(), llm=llama),
        Cascade(name="constant+unseeing", ocr=Constant(), llm=Unseeing()),
        Unseeing(),
    ]
    for model in blind:
        found = scored(cells.both(cells.task("pair"), model, limit=4))
        assert found["contrastive"] == 0.5
    text = build(cells.config("pair", loader={"input": "text"}))
    assert scored(cells.both(text, llama, limit=4))["contrastive"] == 0.5


def test_a_tie_is_wrong_in_commute(cells: ImageCells) -> None:
    """Who finds all texts alike does not score a half but nothing."""
    found = scored(cells.run(cells.task("pair"), Unseeing(name="even", even=True), 4, limit=4))
    assert found["contrastive"] == 0.0


@pytest.mark.parametrize(("name", "protocol"), [("qwen2_vl", "bits"), ("smolvlm", "find"), ("echo+llama", "order")])
def test_stopped_in_the_midst_and_continued(
    cells: ImageCells, monkeypatch: pytest.MonkeyPatch, name: str, protocol: str
) -> None:
    """With other batches it gives what an undisturbed run gives, all variants and both sides of each sample."""
    task, model, results = cells.task(protocol), cells.model(name), cells.folder()
    whole = cells.run(task, model, 4, limit=3)
    answer, calls = getattr(model, task.method), iter(range(5))

    def stopped(batch: Sequence[Sample]) -> list[Output]:
        if next(calls) == 4:
            raise KeyboardInterrupt
        return list(answer(batch))

    with monkeypatch.context() as patch:
        patch.setattr(model, task.method, stopped)
        with pytest.raises(KeyboardInterrupt):
            cells.run(task, model, 1, limit=3, results=results)
    half = read(results / task.name / model.name)
    assert not half.scores and 0 < len(half.rows) < len(whole.rows)
    check_same(whole, cells.run(task, model, 2, limit=3, results=results))


def scored(ran: Ran) -> dict[str, float]:
    """Means over languages, or the value of the only one, by metric."""
    rows = [json.loads(line) for line in ran.scores.splitlines()]
    languages = {row["language"] for row in rows}
    kept = "macro" if "macro" in languages else min(languages - {"all"})
    return {row["metric"]: row["value"] for row in rows if row["language"] == kept}
