from __future__ import annotations

from pathlib import Path

import pytest

from loaders.fixtures._pictures import drawing
from loaders.interleaved.tasks import TASKS, Task
from loaders.stamp_documents import StampDocuments
from mmbench.errors import UsageError
from mmbench.schema import Image, Text

STAMPS = Path("/usr/share/tuxpaint/stamps/animals")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two folders of stamps; Spanish lacks one of them, French has one in English, German none but one."""
    for number in range(9):
        name = tmp_path / "tuxpaint/stamps" / ("animals" if number < 5 else "plants") / f"s{number}"
        name.parent.mkdir(parents=True, exist_ok=True)
        name.with_suffix(".png").write_bytes(drawing(f"stamp {number}"))
        lines = [f"Stamp number {number}.", f"fr.utf8={'Stamp' if number == 2 else 'Timbre'} number {number}."]
        lines += [f"es.utf8=Sello de numero {number}."] if number != 1 else []
        lines += ["de.utf8=Marke."] if number < 2 else []
        name.with_suffix(".txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "tuxpaint/stamps/animals/drawn.txt").write_text("A drawing.\nfr.utf8=Un dessin.\n", encoding="utf-8")
    return tmp_path


def test_documents_are_pictures_and_their_descriptions(root: Path) -> None:
    samples = {sample.id: sample for sample in StampDocuments(root=str(root), size=3)}
    sample = samples["animals/0/spa_Latn"]
    assert [part.text for part in sample.parts if isinstance(part, Text)] == [
        "Sello de numero 0.",
        "Sello de numero 2.",
    ]
    assert [part.source for part in sample.parts if isinstance(part, Image)] == [
        root / f"tuxpaint/stamps/animals/s{number}.png" for number in (0, 2)
    ]
    assert [type(part) for part in sample.parts] == [Image, Text, Image, Text]
    assert sample.group == {"document": "animals/0", "category": "animals", "stamps": "2"}
    assert "animals/1/fra_Latn" in samples, "pieces are those of all stamps, in every language"
    assert samples["animals/0/eng_Latn"].group["stamps"] == "3"
    assert samples["animals/0/fra_Latn"].group["stamps"] == "2", "what was left in English is left out"
    assert not [name for name in samples if name.endswith("deu_Latn")], "the same words twice make no document"
    assert set(sample.variants) == {"none", "shuffled"}


def test_languages_are_a_filter(root: Path) -> None:
    whole = StampDocuments(root=str(root))
    french = StampDocuments(root=str(root), languages=["fr"])
    assert [s.id for s in french] == [s.id for s in whole if s.language == "fra_Latn"]
    assert whole.card.languages == ("eng_Latn", "fra_Latn", "spa_Latn")
    before = whole.card.content
    assert french.card.content == before
    with pytest.raises(UsageError, match="swh_Latn not in the dataset"):
        StampDocuments(root=str(root), languages=["sw"]).validate()
    (root / "tuxpaint/stamps/animals/s0.png").write_bytes(drawing("another"))
    assert StampDocuments(root=str(root)).card.content != before


def test_settings(root: Path) -> None:
    with pytest.raises(UsageError, match="size=1"):
        StampDocuments(size=1)
    with pytest.raises(UsageError, match="task='naming' is not known"):
        StampDocuments(task="naming")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="tuxpaint-stamps-default"):
        list(StampDocuments(root=str(root / "none")))


@pytest.mark.skipif(not STAMPS.exists(), reason="the Debian package tuxpaint-stamps-default is not installed")
@pytest.mark.parametrize("task", TASKS)
def test_the_installed_stamps(task: Task) -> None:
    samples = list(StampDocuments(task=task, languages=["es", "fr", "ru"]))
    assert {sample.language for sample in samples} == {"fra_Latn", "rus_Cyrl", "spa_Latn"}
    assert len({sample.id for sample in samples}) == len(samples) > 200
    for sample in samples:
        assert sample.variants if sample.answer is None else len(set(sample.choices)) == 4
