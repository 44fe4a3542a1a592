from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Literal

import pytest

from loaders.fixtures._photos import write_photos
from loaders.photos import Photos
from loaders.published import Published
from mmbench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

Form = Literal["NFC", "NFD"]


def photos(root: Path, folder: str = "images") -> Photos:
    return Photos(published=Published(location=str(root)), folder=folder)


def test_images_are_beside_the_annotations_or_in_a_folder_below_or_elsewhere(tmp_path: Path) -> None:
    write_photos(tmp_path / "here/images", ["a.jpg"])
    write_photos(tmp_path / "here/images/val2014", ["b.jpg", "a.jpg"])
    write_photos(tmp_path / "there", ["c.png"])
    here = photos(tmp_path / "here")
    assert here.get("a.jpg", where="row 1") == tmp_path / "here/images/a.jpg"
    assert here.get("b.jpg", where="row 1") == here.get("b", where="row 1") == tmp_path / "here/images/val2014/b.jpg"
    assert photos(tmp_path / "here", str(tmp_path / "there")).get("c", where="row 1").name == "c.png"
    assert photos(tmp_path / "here", "../there").get("c", where="row 1").name == "c.png"


def test_a_name_with_a_full_stop_is_no_ending(tmp_path: Path) -> None:
    write_photos(tmp_path / "images", ["page 1.5.jpg"])
    assert photos(tmp_path).get("page 1.5", where="row 1").name == "page 1.5.jpg"


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["NFC", "NFD"])
def test_accents_in_any_unicode_form(tmp_path: Path, stored: Form, written: Form) -> None:
    folder, file = (unicodedata.normalize(stored, text) for text in ("Çaydanlık", "şeker.jpg"))
    write_photos(tmp_path / "images" / folder, [file])
    name = unicodedata.normalize(written, "Çaydanlık/şeker.jpg")
    assert photos(tmp_path).get(name, where="row 1").is_file()


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    write_photos(tmp_path / "images", ["a.jpg"])
    (tmp_path / "images/empty.jpg").write_bytes(b"")
    (tmp_path / "secret.jpg").write_bytes(b"x")
    for name in ("b.jpg", "empty.jpg", "../secret.jpg", str(tmp_path / "secret.jpg")):
        with pytest.raises(UsageError, match=r"row 7: no image .* in .*images, or it is empty"):
            photos(tmp_path).get(name, where="row 7")
    with pytest.raises(UsageError, match="there is no such folder; put the images there"):
        photos(tmp_path, "pictures").get("a.jpg", where="row 7")
    with pytest.raises(UsageError, match="location=someone/something: the annotations are read from a folder"):
        Photos(published=Published(location="someone/something"), folder="images").get("a.jpg", where="row 7")
