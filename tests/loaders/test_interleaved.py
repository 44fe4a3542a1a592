"""The loader over all four layouts: order, states of images, policies, what is left out, and what is fetched."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loaders.fixtures import fixture
from loaders.fixtures import interleaved as fake
from loaders.interleaved import InterleavedDocuments
from loaders.interleaved.tally import Tally
from mmbench.errors import UsageError
from mmbench.fetch import Wanted
from mmbench.identity import describe
from mmbench.image_store import ImageStore
from mmbench.schema import Image, Part, Sample, Text

FORMATS = ("moscar", "obelics", "mmc4", "webdataset")
Corpus = Callable[..., InterleavedDocuments]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        return fixture("interleaved")


@pytest.fixture
def corpus(folder: Path) -> Corpus:
    def make(**settings: Any) -> InterleavedDocuments:
        return InterleavedDocuments(**{"location": str(folder), "language": "eng_Latn", **settings})

    return make


def seen(parts: tuple[Part, ...]) -> list[str | bytes]:
    """Texts, and bytes of images."""
    found: list[str | bytes] = []
    for part in parts:
        if isinstance(part, Text):
            found.append(part.text)
        elif isinstance(part, Image):
            found.append(part.source if isinstance(part.source, bytes) else Path(str(part.source)).read_bytes())
    return found


def expected(tag: str, number: int) -> list[str | bytes]:
    return [what if kind == "t" else fake.image(what) for kind, what in fake.documents(tag)[number]]


def read(sample: Sample) -> list[str | bytes]:
    return seen(sample.parts)


@pytest.mark.parametrize("layout", ["moscar", "obelics", "webdataset"])
def test_every_picture_stands_in_its_place(corpus: Corpus, layout: str) -> None:
    samples = list(corpus(format=layout, languages=["en"], min_images=0, max_nodes=None))
    for number in range(fake.PLAIN):
        whole = expected("eng_Latn", number)
        last = max(at for at, node in enumerate(whole) if isinstance(node, str))
        assert read(samples[number]) == whole[: last + 1], "trailing images change nothing and are left out"
    assert len({sample.id for sample in samples}) == len(samples)
    assert all(sample.id.endswith("/eng_Latn") for sample in samples)


def test_images_of_mmc4_are_found_by_name(corpus: Corpus) -> None:
    samples = list(corpus(format="mmc4"))
    assert len(samples) == fake.PLAIN
    assert read(samples[0])[:4] == expected("eng_Latn", 0)[:4]
    after = next(iter(corpus(format="mmc4", placement="after")))
    assert read(after)[:2] == [expected("eng_Latn", 0)[0], expected("eng_Latn", 0)[2]], "the image comes one text later"


def test_languages_are_a_filter(corpus: Corpus) -> None:
    whole = list(corpus())
    assert [sample.language for sample in whole] == sorted(sample.language for sample in whole)
    french = corpus(languages=["fr"])
    assert [s.id for s in french] == [s.id for s in whole if s.language == "fra_Latn"]
    assert french.card.languages == ("fra_Latn",)
    assert french.card.content == corpus().card.content
    with pytest.raises(UsageError, match=r"no files of swh_Latn; there are eng_Latn, fra_Latn, rus_Cyrl"):
        corpus(languages=["sw"]).validate()
    with pytest.raises(UsageError, match=r"train-00000-of-00001.parquet: no language in its path; say language="):
        corpus(format="obelics", language=None).validate()


def test_states_of_images_are_counted(corpus: Corpus, caplog: pytest.LogCaptureFixture) -> None:
    english, french, _ = corpus().counts
    assert (english.documents, english.left_out) == (fake.PLAIN, 4)
    assert (english.images, english.present, english.missing, english.failed) == (20, 16, 2, 2)
    assert english.reasons == {
        "document: too few images": 3,
        "document: too few texts": 1,
        "image failed: another hash": 1,
        "image failed: too small": 1,
        "image missing: HTTP 404": 1,
        "image missing: not fetched": 1,
    }
    assert english.bytes == english.characters
    assert (french.bytes or 0) > (french.characters or 0), "bytes are not characters"
    list(corpus())
    (line,) = caplog.messages
    assert "image failed: another hash 3" in line


def test_policies(corpus: Corpus) -> None:
    dropped = list(corpus(languages=["en"], min_images=0, task="bits"))
    assert len(dropped) == len(fake.SHAPES) - 1, "one has no text"
    assert all(isinstance(part, Text) for part in dropped[fake.PLAIN].parts)
    whole = list(corpus(languages=["en"], min_images=0, missing="drop_document"))
    assert len(whole) == len(dropped) - 2
    marked = list(corpus(languages=["en"], min_images=0, missing="placeholder", placeholder="[gone]"))
    shown = next(sample for sample in marked if sample.id == dropped[fake.PLAIN].id).parts
    assert shown[0] == Text("[gone]", instruction=True), "it is read, not scored"
    assert [p.text for p in shown if isinstance(p, Text) and not p.instruction] == read(dropped[fake.PLAIN])
    with pytest.raises(UsageError, match=r"images.example/eng_Latn-5-0.png is missing: HTTP 404; fetch it"):
        list(corpus(languages=["en"], missing="refuse"))
    kinds = {str(describe(corpus(missing=m))) for m in ("drop_image", "drop_document", "placeholder", "refuse")}
    assert len(kinds) == 4, "the policy is part of the fingerprint"


def test_failed_images(corpus: Corpus, folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    store = ImageStore(copy / "images")
    found = corpus(location=str(copy), languages=["en"])
    before = found.card.content
    first = store.path(fake.digest("eng_Latn-0-1"))
    assert first is not None
    first.write_bytes(fake.image("another one"[:7] + "-0-0"))
    changed = corpus(location=str(copy), languages=["en"])
    assert changed.card.content != before, "what is in the store is part of the data"
    assert changed.counts[0].reasons["image failed: another hash"] == 2
    first.rename(first.with_suffix(".png"))
    first.with_suffix(".png").write_bytes(fake.image("eng_Latn-0-1"))
    assert corpus(location=str(copy), languages=["en"]).counts == found.counts, "an ending is allowed"
    narrow = corpus(location=str(copy), languages=["en"], max_aspect=1.1, min_images=0)
    assert narrow.counts[0].reasons["image failed: too long"] == 16


def test_without_a_store(corpus: Corpus, tmp_path: Path) -> None:
    empty = corpus(images=str(tmp_path / "none"))
    with pytest.raises(UsageError, match=r"no store of images; fill it by mmbench fetch-images"):
        empty.validate()
    with pytest.raises(UsageError, match=r"no document can be asked about .*not fetched 60.*; fetch"):
        list(empty)
    assert len(list(corpus(images=str(tmp_path / "none"), min_images=0))) == 3 * (len(fake.SHAPES) - 1)


def test_what_is_wanted(corpus: Corpus) -> None:
    wanted = list(corpus(languages=["fr"]).wanted_images())
    names = [name for nodes in fake.documents("fra_Latn") for kind, name in nodes if kind == "i"]
    assert wanted == [Wanted(fake.url(name), fake.digest(name)) for name in names]
    assert all(each.sha512 is None for each in corpus(format="obelics").wanted_images())
    assert not list(corpus(format="webdataset").wanted_images())
    few = corpus(languages=["fr"], at_most=2)
    assert list(few.wanted_images()) == wanted[:5], "as many documents as are asked about"


def test_shares_of_documents(corpus: Corpus) -> None:
    whole = [sample.id for sample in corpus()]
    half = [sample.id for sample in corpus(share=0.5)]
    assert 0 < len(half) < len(whole)
    assert half == [name for name in whole if name in half]
    assert half == [sample.id for sample in corpus(share=0.5)]
    assert half != [sample.id for sample in corpus(share=0.5, seed=1)]
    assert {s.id for s in corpus(share=0.3)} <= set(half)
    assert len(list(corpus(at_most=2))) == 6


def test_cuts_are_at_whole_nodes(corpus: Corpus) -> None:
    for sample in corpus(max_nodes=4, min_images=0):
        assert len(sample.parts) <= 4
    for sample in corpus(max_images=1):
        assert sum(isinstance(part, Image) for part in sample.parts) == 1
    first = next(iter(corpus(max_nodes=3)))
    assert read(first) == expected("eng_Latn", 0)[:3]
    assert all(sum(isinstance(p, Text) for p in s.parts) >= 6 for s in corpus(min_texts=6))


def test_texts_are_kept_as_they_are(corpus: Corpus) -> None:
    assert fake.MARKED in read(next(iter(corpus())))


def test_empty_texts_and_repeated_documents(corpus: Corpus, tmp_path: Path) -> None:
    import json

    (tmp_path / "eng_Latn").mkdir()
    row = fake.moscar_row("eng_Latn", 0, [("t", " \n"), ("t", "one"), ("i", "eng_Latn-0-1"), ("t", ""), ("t", "two")])
    (tmp_path / "eng_Latn" / "a.jsonl").write_text(2 * (json.dumps(row) + "\n"), encoding="utf-8")
    found = corpus(location=str(tmp_path), images=str(Path(str(corpus().location)) / "images"))
    (sample,) = found
    assert [part.text for part in sample.parts if isinstance(part, Text)] == ["one", "two"]
    assert found.counts[0].reasons == {"document: repeated": 1}


def test_it_streams(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []
    plain = Tally.use
    monkeypatch.setattr(Tally, "use", lambda self, page: (used.append(page.id), plain(self, page)))
    first = next(iter(corpus()))
    assert used[0] == first.id
    assert len(used) == 2, "a document and its neighbour"


@pytest.mark.parametrize("layout", FORMATS)
def test_card(corpus: Corpus, layout: str) -> None:
    loader = corpus(format=layout)
    assert loader.card == corpus(format=layout).card
    assert loader.card.name == layout
    assert describe(replace(loader, languages=["en"], images="elsewhere")) == describe(loader)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "html5"}, "format='html5' is not known"),
        ({"missing": "ignore"}, "missing='ignore' is not known"),
        ({"share": 0}, "share=0"),
        ({"options": 1}, "options=1"),
        ({"task": "vqa"}, "task='vqa' is not known"),
    ],
)
def test_settings(corpus: Corpus, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        corpus(**settings)


def packed(path: Path, *texts: str, stem: str = "k") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as tar:
        for number, text in enumerate(texts):
            entry = tarfile.TarInfo(f"{stem}{number}.txt")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))


def test_archives_of_two_folders_may_have_one_name(tmp_path: Path) -> None:
    """Else the documents of the second one would be left out as copies."""
    packed(tmp_path / "data/a/0000.tar", "one", "two")
    packed(tmp_path / "data/b/0000.tar", "three", "four")
    loader = InterleavedDocuments(location=str(tmp_path), format="webdataset", language="eng_Latn", min_images=0)
    samples = list(loader)
    assert [seen(sample.parts) for sample in samples] == [["one"], ["two"], ["three"], ["four"]]
    assert [sample.id for sample in samples][::3] == ["data/a/0000/k0/eng_Latn", "data/b/0000/k1/eng_Latn"]


def test_names_in_archives_may_be_no_unicode(tmp_path: Path) -> None:
    packed(tmp_path / "0.tar", "text", stem="é")
    loader = InterleavedDocuments(location=str(tmp_path), format="webdataset", language="eng_Latn", min_images=0)
    (sample,) = loader
    assert sample.id.encode() == rb"0/\udce90/eng_Latn"


@pytest.mark.parametrize("name", ["at_most", "max_nodes"])
def test_none_of_the_documents_is_no_setting(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name}=0: give a number from 1"):
        InterleavedDocuments(**{name: 0})  # type: ignore[arg-type]
