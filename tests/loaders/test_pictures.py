from __future__ import annotations

import base64
import re

import pytest

from loaders.pictures import interleaved, picture
from mmbench.errors import UsageError
from mmbench.schema import Image, Text

PLAIN = base64.b64encode(b"picture").decode()


@pytest.mark.parametrize("value", [b"picture", {"bytes": b"picture"}, PLAIN, f"data:image/png;base64,{PLAIN}"])
def test_bytes_of_a_picture(value: object) -> None:
    assert picture(value, "x") == b"picture"


@pytest.mark.parametrize("value", [None, b"", "", {"bytes": None, "path": "/etc/passwd"}, "data:,base64,", 7])
def test_no_picture(value: object) -> None:
    with pytest.raises(UsageError, match="row 3: has no image"):
        picture(value, "row 3")


@pytest.mark.parametrize("value", ["é" * 8, "no base64!", "AAA"])
def test_what_is_no_base64(value: str) -> None:
    with pytest.raises(UsageError, match="row 3: its image is not base64"):
        picture(value, "row 3")


def test_pictures_stand_where_their_keys_say() -> None:
    images = {str(number): Image(bytes([number])) for number in (1, 2, 3)}
    mark = re.compile(r"<image (\d+)>")
    assert interleaved("a<image 3> <image 1>b", mark, images, "x") == (Text("a"), images["3"], images["1"], Text("b"))
    with pytest.raises(UsageError, match="row 3: <image 4> has no image; it has 1, 2, 3"):
        interleaved("<image 4>", mark, images, "row 3")
