"""X-LLM's 90 visual instructions: what models say of 30 photographs, judged beside what GPT-4 says of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from loaders.published import Published, need
from loaders.recordings import present
from loaders.spoken import check
from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.schema import Card, Image, Sample, Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CATEGORIES = ("conv", "detail", "complex")
"""Conversation, detailed description and complex reasoning; 30 questions of each."""

QUESTIONS = ("qa90_questions.jsonl", "questions.jsonl", "*questions*.jsonl", "*questions*.json")
ANSWERS = ("qa90_gpt4_answer.jsonl", "answers_gpt4.jsonl", "*gpt4_answer*.jsonl")
CONTEXT = ("caps_boxes_coco2014_val_80.jsonl", "context.jsonl", "caps_boxes*.jsonl")


@dataclass(kw_only=True)
class XLlm:
    """Questions about photographs of COCO val2014, of three kinds; the references are GPT-4's answers where they are.

    The published figure is relative: 100 x the sum of a model's marks / the sum of GPT-4's, which is not the mean of
    the ratios (conf/task/judge_x_llm.yaml; docs/judges.md). `model=gold` writes GPT-4's answers as a run to judge
    against. GPT-4 did not see the photographs but captions and boxes, which is what the judge is shown too: they are
    the group field `context`, where the file is there. Only what a judge says is a score here: GPT-4's answers are
    one way of answering, and no text to compare with word for word.

    Args:
        location: folder with the questions (JSONL or a JSON list: question_id, image, category, text), GPT-4's answers
            (question_id, text; optional), captions and boxes (image, captions, instances; optional), and the images
            (beside them, or in images or val2014, with or without COCO_val2014_ in the name), or fixture://x_llm.
        language: of the questions; those of LLaVA are English.
        category: one of `CATEGORIES`, or None for all.

    X-LLM publishes no file: it says that its 90 questions about 30 images are made as LLaVA's are. Names are those of
    LLaVA's files (haotian-liu/LLaVA, playground/data/coco2014_val_qa_eval, as code that calls it says), fields those
    that its evaluation is known to read; neither could be checked against a file.
    """

    location: str = field(default="x_llm", compare=False)
    language: str = "eng_Latn"
    category: str | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        tag(self.language)
        if self.category is not None:
            check("category", self.category, CATEGORIES)

    @cached_property
    def _published(self) -> Published:
        return Published(location=self.location)

    @cached_property
    def _files(self) -> tuple[str, ...]:
        """The questions, and of answers and context those that are there."""
        optional = [found[0] for names in (ANSWERS, CONTEXT) if (found := self._published.glob(*names))]
        return (self._published.find(*QUESTIONS)[0], *optional)

    def _rows(self, names: tuple[str, ...], key: str) -> dict[str, dict[str, Any]]:
        """Rows of an optional file by a field."""
        found: dict[str, dict[str, Any]] = {}
        for name in self._published.glob(*names)[:1]:
            for row in self._published.lines(name):
                if (value := str(need(row, key, name))) in found:
                    raise UsageError(f"{name}: {key} {value} is there twice; leave one")
                found[value] = row
        return found

    def __iter__(self) -> Iterator[Sample]:
        """Yield the questions in the order of their file."""
        answers, contexts = self._rows(ANSWERS, "question_id"), self._rows(CONTEXT, "image")
        language, name = tag(self.language), self._files[0]
        for number, row in self._rows(QUESTIONS, "question_id").items():
            where = f"{name}: question {number}"
            category, image = str(need(row, "category", where)), str(need(row, "image", where))
            if category not in CATEGORIES:
                raise UsageError(f"{where}: category {category!r} is none of {', '.join(CATEGORIES)}")
            if self.category not in (None, category):
                continue
            if answers and number not in answers:
                raise UsageError(f"{where}: GPT-4's answers lack it; they must be to the same questions")
            said = str(need(answers[number], "text", where)) if answers else ""
            group = {"category": category, "image": image}
            if image in contexts:
                group["context"] = _context(contexts[image])
            yield Sample(
                id=f"{number}/{language}",
                language=language,
                parts=(Image(self._image(image, where)), Text(str(need(row, "text", where)))),
                references=(said,) if said else (),
                group=group,
            )

    def _image(self, name: str, where: str) -> Path:
        names = [f"{folder}{start}{name}" for folder in ("", "images/", "val2014/") for start in ("", "COCO_val2014_")]
        root = self._published.folder
        path = self._published.path(names[0]) if root is None else present(root, *names)
        if path is None:
            raise UsageError(f"{where}: no image {name}, or it is empty; put it beside the questions or into images")
        return path

    @property
    def count(self) -> int:
        """Number of questions."""
        rows = self._rows(QUESTIONS, "question_id").values()
        return sum(self.category in (None, row.get("category")) for row in rows)

    @property
    def card(self) -> Card:
        """Identity and terms; images count by their names alone."""
        return Card(
            name="x_llm",
            revision=self._published.described,
            content=self._published.content(self._files),
            languages=(tag(self.language),),
            licence="see LLaVA for the questions and COCO for the images",
            source="https://github.com/phellonchen/X-LLM; https://github.com/haotian-liu/LLaVA",
            citation="Chen et al. 2023, X-LLM (arXiv:2305.04160); Liu et al. 2023, Visual Instruction Tuning "
            "(arXiv:2304.08485)",
        )


def _context(row: dict[str, Any]) -> str:
    """Captions and boxes of an image, a line each."""
    captions, boxes = row.get("captions") or [], row.get("instances") or []
    lines = [captions] if isinstance(captions, str) else [str(caption) for caption in captions]
    return "\n".join(lines + [box if isinstance(box, str) else json.dumps(box) for box in boxes])
