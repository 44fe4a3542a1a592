"""Rows of published corpora as documents: mOSCAR, OBELICS and MMC4.

Images stand where the row's own keys say; nothing is counted off, so that a gap shifts no other image.
"""

from __future__ import annotations

import json
import zipfile
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urljoin

from loaders.interleaved.documents import Picture
from loaders.published import need
from mmbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from loaders.interleaved.documents import Node
    from loaders.published import Published

Placement = Literal["before", "after"]
"""Where an image of MMC4 stands: before the sentence that it is matched to, or after it."""

Row = dict[str, Any]


def rows(published: Published, name: str) -> Iterator[tuple[str, Row]]:
    """The rows of a file and where each is: .parquet, .jsonl, .jsonl.gz or .jsonl.zip."""
    if name.endswith(".parquet"):
        found = published.parquet([name])
    elif name.endswith(".zip"):
        found = _zipped(published, name)
    else:
        found = published.lines(name)
    for number, row in enumerate(found, 1):
        yield f"{name}:{number}", row


def _zipped(published: Published, name: str) -> Iterator[Row]:
    """Rows of a .jsonl file that lies in a .zip archive alone, as the shards of MMC4 do."""
    path = published.path(name)
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                with archive.open(member) as file:
                    for line in TextIOWrapper(file, encoding="utf-8"):
                        row = json.loads(line)
                        if not isinstance(row, dict):
                            raise ValueError("a line is no JSON object")
                        yield row
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError) as error:  # the last: it is encrypted
        raise UsageError(f"{path}: cannot be read ({error}); download it again") from error


def moscar(row: Row, where: str) -> tuple[str, list[Node]]:
    """URL and nodes of a document of mOSCAR: `node_order` names them, such as `img_#000002|txt_#000000`.

    Numbers have gaps, as nodes were filtered. An image that is named and not listed is one that is missing; a node that
    the order does not name has no place and is left out.

    Raises:
        UsageError: the order names a text that the row does not have, or a node twice.
    """
    known: dict[str, Node] = {}
    for each in _records(need(row, "text", where)):
        _once(known, f"txt_{each['text_idx']}", str(each.get("text") or ""), where)
    for each in _records(row.get("images") or []):
        picture = Picture(url=str(each.get("url") or ""), sha512=str(each.get("sha512") or ""))
        _once(known, f"img_{each['img_idx']}", picture, where)
    about = next(iter(_records(need(row, "metadata", where))), {})
    keys = [key for key in str(need(about, "node_order", where)).split("|") if key]
    if len(set(keys)) < len(keys):
        raise UsageError(f"{where}: node_order names a node twice ({'|'.join(keys)[:200]}); download it again")
    if lost := [key for key in keys if key not in known and not key.startswith("img_")]:
        raise UsageError(f"{where}: node_order names {lost[0]}, which the row does not have; download it again")
    return str(about.get("url") or ""), [known.get(key, Picture()) for key in keys]


def _once(known: dict[str, Node], key: str, node: Node, where: str) -> None:
    if key in known:
        raise UsageError(f"{where}: has {key} twice; download it again")
    known[key] = node


def _records(value: Any) -> list[Mapping[str, Any]]:
    """A list of objects; `datasets` may have written it as an object of lists."""
    if isinstance(value, dict):
        return [dict(zip(value, each, strict=True)) for each in zip(*value.values(), strict=True)]
    return list(value)


def obelics(row: Row, where: str) -> tuple[str, list[Node]]:
    """URL and nodes of a document of OBELICS: two lists of one length, at each place of which one has something.

    A place where neither has is an image that was taken out. A text holds paragraphs with empty lines between.

    Raises:
        UsageError: the lists differ in length, or both have something.
    """
    texts, images = need(row, "texts", where), need(row, "images", where)
    if len(texts) != len(images):
        raise UsageError(f"{where}: {len(texts)} texts, but {len(images)} images; download it again")
    nodes: list[Node] = []
    for place, (text, image) in enumerate(zip(texts, images, strict=True)):
        if text is not None and image is not None:
            raise UsageError(f"{where}: text and image both at place {place}; download it again")
        nodes.append(Picture(url=str(image or "")) if text is None else str(text))
    return _url(row.get("general_metadata"), where), nodes


def _url(metadata: Any, where: str) -> str:
    if not metadata:
        return ""
    try:
        found = json.loads(metadata) if isinstance(metadata, str) else metadata
        return str(found.get("url") or "")
    except (ValueError, AttributeError):
        raise UsageError(f"{where}: general_metadata is no JSON object; download it again") from None


def mmc4(row: Row, where: str, placement: Placement = "before") -> tuple[str, list[Node]]:
    """URL and nodes of a document of MMC4: sentences, and images that a similarity assigned to one each.

    Several images of a sentence stand in the order of `image_info`.

    Raises:
        UsageError: an image is assigned to a sentence that is not there.
    """
    url, sentences = str(row.get("url") or ""), need(row, "text_list", where)
    by_sentence: dict[int, list[Node]] = {}
    for each in row.get("image_info") or []:
        name, index = str(each.get("image_name") or ""), int(need(each, "matched_text_index", where))
        if not 0 <= index < len(sentences):
            raise UsageError(f"{where}: {name} belongs to sentence {index} of {len(sentences)}; download it again")
        picture = Picture(url=_whole(url, str(each.get("raw_url") or "")), name=name)
        by_sentence.setdefault(index, []).append(picture)
    nodes: list[Node] = []
    for index, sentence in enumerate(sentences):
        images = by_sentence.get(index, [])
        nodes += [*images, str(sentence)] if placement == "before" else [str(sentence), *images]
    return url, nodes


def _whole(page: str, url: str) -> str:
    """The URL of an image as it is asked for; one that is none, as pages have them too, stays as it is."""
    try:
        return urljoin(page, url)
    except ValueError:
        return url


def parsed(layout: str, row: Row, where: str, placement: Placement) -> tuple[str, list[Node]]:
    """URL and nodes of a row in one of the layouts.

    Raises:
        UsageError: it is not as published.
    """
    try:
        return mmc4(row, where, placement) if layout == "mmc4" else READERS[layout](row, where)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{where}: not a row of {layout} ({error!r}); download it again") from error


READERS: Mapping[str, Callable[[Row, str], tuple[str, list[Node]]]] = {"moscar": moscar, "obelics": obelics}
"""How a row becomes a document, by layout; MMC4 also needs to know the placement."""

PATTERNS: Mapping[str, Sequence[str]] = {
    "moscar": (
        "data/*/*.parquet",
        "*/train/*.parquet",
        "*/*.parquet",
        "*/*.jsonl",
        "*/*.jsonl.gz",
        "*.jsonl",
        "*.parquet",
    ),
    "obelics": (
        "opt_out_docs_removed_2023_07_12/*.parquet",
        "data/*.parquet",
        "*.parquet",
        "data/*.jsonl",
        "*.jsonl",
    ),
    "mmc4": tuple(f"{folder}*.jsonl{ending}" for folder in ("", "data/", "*/") for ending in ("", ".gz", ".zip")),
    "webdataset": ("data/*/*.tar", "data/*.tar", "*/*.tar", "*.tar"),
}
"""Where the files of a corpus are, most wanted first."""

ABOUT = {
    "moscar": (
        "CC BY 4.0 for the packaging; texts and images are their owners'",
        "https://huggingface.co/datasets/oscar-corpus/mOSCAR",
        "Futeral et al. 2024, mOSCAR: A Large-scale Multilingual and Multimodal Document-level Corpus, "
        "arXiv:2406.08707",
    ),
    "obelics": (
        "CC BY 4.0 for the packaging; texts and images are their owners'",
        "https://huggingface.co/datasets/HuggingFaceM4/OBELICS",
        "Laurençon et al. 2023, OBELICS: An Open Web-Scale Filtered Dataset of Interleaved Image-Text Documents, "
        "arXiv:2306.16527",
    ),
    "mmc4": (
        "ODC-BY for the packaging; texts and images are their owners'",
        "https://github.com/allenai/mmc4",
        "Zhu et al. 2023, Multimodal C4: An Open, Billion-scale Corpus of Images Interleaved with Text, "
        "arXiv:2304.06939",
    ),
    "webdataset": ("unknown", "tar files in the layout of WebDataset", ""),
}
"""Licence, source and citation of each."""
