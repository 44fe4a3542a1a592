"""Any dataset of texts as pictures of them: the same questions for what reads a page and for what is given its text."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

from loaders.spoken import check, wanted_tags
from mmbench.errors import UsageError
from mmbench.media.fonts import OTHERS, family_of, find_font, fonts_of, named
from mmbench.media.render import Page, check_layout, render_text
from mmbench.schema import Image, Part, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mmbench.schema import Card, Loader

Task = Literal["same", "ocr"]
"""The dataset's own question, or what is written in the picture."""


@dataclass(kw_only=True)
class Rendered:
    """A dataset whose texts are pictures; ids, choices, references and groups are as they were.

    Each text of a sample that is no instruction becomes a picture (`mmbench.media.render`) whose transcript is the
    text. So answers of a model that sees, of a cascade (`input=ocr:MODEL`) and of one that is given the text
    (`input=ocr:gold`, or the dataset itself) are to the same questions, and pair by their ids. What is on the other
    side of a pair (`Sample.variants`) is not touched.

    The pictures are made when they are asked for, and differ in single pixels between versions of Pillow, FreeType and
    fonts: the identity of the data knows the fonts, the environment in run.json the versions. A run with `limit` draws
    all samples of its languages, 2 to 10 ms each: give `per_language`, or say which languages.

    Args:
        of: the dataset.
        fonts: "auto" (Noto fonts; sudo apt-get install fonts-noto-core fonts-noto-cjk), or names of families or files
            by language, script or "default": `{Latn: DejaVu Sans, ell_Grek: [/my/font.ttf, DejaVu Sans]}`. Of several
            one that has the letter is taken. A letter that none has is an error.
        size: of the letters, in pixels.
        width: of the pictures, in pixels; they are as high as the text needs.
        margin: around the text, in pixels.
        task: one of `Task`; "ocr" has the text as its reference, in the text's language.
        languages: codes, any spelling; None for all that the dataset has.
        per_language: how many samples of each language, the first ones; None for all.
    """

    of: Loader
    fonts: Mapping[str, str | Sequence[str]] | str = "auto"
    size: int = 32
    width: int = 800
    margin: int = 24
    task: Task = "same"
    languages: Sequence[str] | None = field(default=None, compare=False)
    per_language: int | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        check("task", self.task, get_args(Task))
        if isinstance(self.fonts, str) and self.fonts != "auto":
            raise UsageError(
                f'fonts={self.fonts}: give "auto", or fonts by script, as in fonts={{default: DejaVu Sans}}'
            )
        if self.per_language is not None and self.per_language < 1:
            raise UsageError(f"per_language={self.per_language}: give a number from 1, or null for all samples")
        self._page = Page(size=self.size, width=self.width, margin=self.margin)
        self._wanted = wanted_tags(self.languages)

    def validate(self) -> None:
        """Check the dataset, and the fonts of the languages that are asked for here."""
        validate = getattr(self.of, "validate", None)
        if validate is not None:
            validate()
        check_layout()
        for tag in sorted(self._wanted or ()):
            next(fonts_of(tag, self.fonts))

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples in the order of the dataset, each with its pictures."""
        drawn = Counter[str]()
        for sample in self.of:
            wanted = self._wanted is None or sample.language in self._wanted
            if wanted and (self.per_language is None or drawn[sample.language] < self.per_language):
                drawn[sample.language] += 1
                yield self._drawn(sample)

    def _drawn(self, sample: Sample) -> Sample:
        texts = [part.text for part in sample.parts if isinstance(part, Text) and not part.instruction]
        if not texts:
            raise UsageError(f"sample {sample.id}: has no text to make a picture of; rendered data need texts")
        sample = replace(sample, parts=tuple(self._picture(part, sample) for part in sample.parts))
        if self.task == "same":
            return sample
        return replace(
            sample,
            references=("\n".join(texts),),
            choices=(),
            answer=None,
            target_language=sample.source_language,
            variants={},
        )

    def _picture(self, part: Part, sample: Sample) -> Part:
        if not isinstance(part, Text) or part.instruction:
            return part
        try:
            png = render_text(part.text, sample.spoken, page=self._page, fonts=self.fonts)
        except UsageError as error:
            raise UsageError(f"sample {sample.id}: {error}") from error
        return Image(png, transcript=part.text)

    @property
    def card(self) -> Card:
        """That of the dataset under another name; its content hash is also of the page and of the fonts' files."""
        card = self.of.card
        tags = [tag for tag in card.languages if self._wanted is None or tag in self._wanted]
        made = {"content": card.content, "page": asdict(self._page), "fonts": self._files(tags), "task": self.task}
        return replace(
            card,
            name=f"rendered_{card.name}",
            content=hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest(),
            languages=tuple(tags),
        )

    def _files(self, tags: Sequence[str]) -> dict[str, list[str]]:
        """Digests of the fonts of each language, without those that are not here."""
        found = {}
        for tag in tags:
            names = named(tag, self.fonts) or (family_of(tag), *OTHERS)
            found[tag] = [font.digest for name in names if (font := find_font(name)) is not None]
        return found
