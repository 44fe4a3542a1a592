"""Your own data: a JSONL or Parquet file with one sample a row. `docs/manifest.md` has an example of each kind."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders import manifest_rows as rows
from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.schema import Card, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mmbench.schema import Source


@dataclass(kw_only=True)
class Manifest:
    """A dataset in one file: `.jsonl` or `.jsonl.gz` with an object a line, or `.parquet`. It is streamed.

    Fields of a row; null is the same as absent, and fields that begin with `_` are skipped:

    - `id`: string or integer; required, unique.
    - `language`: what the result is reported under; required. Any code that `mmbench.languages.tag` accepts.
    - `source_language`, `target_language`: of the input and of the answer, where they are not `language`.
    - `parts`: the prompt in order, a list of objects: `{"text": str}`, `{"audio": path, "start": seconds, "end":
      seconds, "transcript": str}`, `{"video": path}` with the same three, or `{"image": path, "transcript": str}`.
    - `audio` with `start`, `end` and `transcript`; `image`, a path or a list of them; `text`: a shorthand for `parts`,
      in this order.
    - `reference` or `references`: the accepted answer, or a list of them.
    - `choices`: list of strings. `answer`: the right one, as 0-based index, as letter or word for word.
    - `group`: object of further fields to report by; its values become strings.

    Media in Parquet may also be the encoded bytes, or `{"bytes", "path"}` as Hugging Face datasets has it; bytes win.
    A media file that is missing costs its sample an answer and nothing else, so it is not looked for here.

    Args:
        path: the file.
        name: name of the dataset; the file's by default.
        root: folder that relative media paths start from; the file's by default.
        languages: languages to keep, in any code. All rows are checked nevertheless.
        licence, source, citation: terms of the data, where they are from and whom to cite, for the card.
        allow_outside: whether relative media paths may leave `root`, by `..` or by a symbolic link.
    """

    path: str = field(compare=False)
    name: str | None = None
    root: str | None = None
    languages: Sequence[str] | None = field(default=None, compare=False)
    licence: str = field(default="unknown", compare=False)
    source: str = field(default="unknown", compare=False)
    citation: str = field(default="", compare=False)
    allow_outside: bool = False

    def __post_init__(self) -> None:
        """Check what can be checked without the file."""
        if not str(self.path).endswith((".jsonl", ".jsonl.gz", ".parquet")):
            raise UsageError(f"loader.path={self.path}: is of no known kind; give a .jsonl, .jsonl.gz or .parquet file")
        self._wanted = None if self.languages is None else {tag(code) for code in self.languages}
        self._file = Path(self.path).expanduser()
        self._root = Path(self.root).expanduser() if self.root else self._file.parent
        self._real_root = self._root.resolve()

    @cached_property
    def card(self) -> Card:
        """Identity and terms; the first use reads and checks the whole file."""
        found = Counter(sample.language for sample in self)
        if not found:
            raise UsageError(f"{self.path}: has no row in {', '.join(sorted(self._wanted or ()))}; widen languages")
        with self._file.open("rb") as handle:
            content = hashlib.file_digest(handle, "sha256").hexdigest()
        self._count = found.total()
        return Card(
            name=self.name or self._file.name.removesuffix(".gz").rpartition(".")[0],
            revision=f"sha256:{content[:12]}",
            content=content,
            languages=tuple(sorted(found)),
            licence=self.licence,
            source=self.source,
            citation=self.citation,
        )

    def validate(self) -> None:
        """Check the whole file; the UsageError for its first mistake names line, field and how to mend it."""
        _ = self.card

    @property
    def count(self) -> int:
        """Number of samples in the languages that are kept."""
        self.validate()
        return self._count

    def __iter__(self) -> Iterator[Sample]:
        """Read the file again and yield the samples in its order."""
        number, seen = 0, set[int]()
        try:
            for number, row in self._rows():
                sample = self._sample(rows.parse(row))
                if hash(sample.id) in seen:  # only hashes are kept, so read again to see which row it was
                    first = next(at for at, row in self._rows() if str(rows.parse(row).get("id")) == sample.id)
                    if first < number:
                        raise rows.mistake(
                            "id", f"{rows.brief.repr(sample.id)} is also in row {first}", "make ids unique"
                        )
                seen.add(hash(sample.id))
                if self._wanted is None or sample.language in self._wanted:
                    yield sample
            if not seen:
                raise UsageError("has no rows; check the path, or write the file again")
        except UsageError as error:
            where = f"{self.path}:{number}" if number else self.path
            raise UsageError(" ".join(f"{where}: {error}".split())) from error
        except (OSError, EOFError, zlib.error) as error:
            what = f"{self.path}: cannot be read after row {number} ({getattr(error, 'strerror', None) or error})"
            raise UsageError(" ".join(f"{what}; check that it is there and whole".split())) from error

    def _rows(self) -> Iterator[tuple[int, object]]:
        if self._file.suffix == ".parquet":
            yield from enumerate(_parquet(self._file), 1)
            return
        with gzip.open(self._file) if self._file.suffix == ".gz" else self._file.open("rb") as handle:
            # Bounded and in bytes, so that neither a missing line end nor U+2028 in a text does harm.
            lines = iter(lambda: handle.readline(rows.MAX_LINE + 1), b"")
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line

    def _sample(self, row: Mapping[str, Any]) -> Sample:
        rows.check_fields(row, rows.FIELDS, "")
        row = {key: value for key, value in row.items() if value is not None}
        name = str(row["id"]) if type(row.get("id")) is int else rows.text(row.get("id"), "id")
        if not name:
            raise rows.mistake("id", "is empty", "give every row an id of its own")
        codes: dict[str, Any] = {
            key: rows.language(row.get(key), key) for key in rows.LANGUAGES if key == "language" or key in row
        }
        if "reference" in row:
            if "references" in row:
                raise rows.mistake("reference", "stands beside references", "give one of the two")
            row["references"] = [rows.text(row["reference"], "reference")]
        choices = rows.texts(row.get("choices", []), "choices")
        return Sample(
            id=name,
            parts=tuple(rows.part(part, where, self._media) for where, part in rows.prompt(row)),
            references=rows.texts(row.get("references", []), "references"),
            choices=choices,
            answer=rows.answer(row["answer"], choices) if "answer" in row else None,
            group=rows.group(row.get("group", {})),
            **codes,
        )

    def _media(self, value: object, field: str) -> Source:
        if self._file.suffix == ".parquet":
            if isinstance(value, dict) and value.keys() <= {"bytes", "path"}:
                value = value["bytes"] if value.get("bytes") is not None else value.get("path")
            if isinstance(value, bytes):
                return value
        path = rows.text(value, field)
        if not path or "\0" in path:
            raise rows.mistake(field, "is no path: it is empty or has a NUL in it", "give the path of a file")
        full = self._root / path
        if not self.allow_outside and not Path(path).is_absolute():
            with suppress(OSError, RuntimeError):  # a name too long, a loop of links: whoever opens it says so
                if not full.resolve().is_relative_to(self._real_root):
                    raise rows.mistake(
                        field, f"{rows.brief.repr(path)} leaves the root folder", "set allow_outside=true to allow it"
                    )
        return str(full)


def _parquet(file: Path) -> Iterator[object]:
    import pyarrow.parquet as pq  # here, because it takes longer to import than a small manifest takes to read

    try:
        with pq.ParquetFile(file) as table:
            names = [name for name in table.schema_arrow.names if not name.startswith("_")]
            if len(set(names)) < len(names):
                raise OSError("two columns have one name")
            # Small batches, for rows may hold media; those are not read ahead either.
            for batch in table.iter_batches(batch_size=64, columns=names):
                yield from batch.to_pylist()
    except OSError:
        raise
    except Exception as error:  # damaged files raise many classes
        raise OSError(f"damaged or not Parquet: {error}") from error
