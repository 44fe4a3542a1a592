"""A task: which data, what is asked, how it is answered and how it is scored."""

from __future__ import annotations

import hashlib
import string
from dataclasses import dataclass, field, is_dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, cast, get_args

from mmbench import languages
from mmbench.errors import CellError, UsageError
from mmbench.schema import Audio, Condition, Loader, Method, Model, Part, Sample, Scorer, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

    from mmbench.shots import Shots

_FIELDS = {"input", "choices", "source", "target"}
_LETTERS = string.ascii_uppercase
VARIANTS = ("letters", "calibrated", "circular")
"""Settings of a task that make another protocol of its method."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A protocol on a dataset; its name stands in the results, because protocols do not compare.

    Args:
        name: name of the task's folder in the results.
        loader: the dataset.
        scorers: metrics by name.
        method: "generate" asks for text, "loglikelihood" for the likelihood of each choice, "embed" for vectors of both
            sides of a pair, "document_loglikelihood" for that of a document's text in each of the sample's variants.
        prompt: a template with `{input}` (the sample's parts), `{choices}` (lettered options), `{source}` and
            `{target}` (English names of the languages); or templates by language tag, with `default` for the rest.
        languages: tags or aliases to run on; None is all.
        letters: rank the letters of the choices, which `{choices}` in the prompt shows, instead of their texts.
        calibrated: ask for the likelihood of the choices after the prompt without the sample too (an empty question).
        circular: ask each question once for each rotation of its choices (CircularEval); a scorer with
            `joined_by=circular` counts it as right when all of them are.
        shots: demonstrations before the question (`mmbench.shots`).
        condition: what is done to every recording before a model hears it, such as noise (`docs/conditions.md`).
        cluster: group field whose samples are not independent of each other, for intervals; "auto" finds one
            (`measure.cluster_field`), null is none.
    """

    name: str
    loader: Loader
    scorers: Mapping[str, Scorer]
    method: Method = "generate"
    prompt: str | Mapping[str, str] = "{input}"
    languages: Sequence[str] | None = None
    letters: bool = False
    calibrated: bool = False
    circular: bool = False
    shots: Shots | None = None
    condition: Condition | None = None
    cluster: str | None = "auto"
    _templates: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check what can be checked before any data are read."""
        if self.method not in get_args(Method):
            raise UsageError(f"task.method={self.method!r} is not known; use one of {', '.join(get_args(Method))}")
        if self.method == "document_loglikelihood" and (self.prompt != "{input}" or self.shots is not None):
            raise UsageError("task.method=document_loglikelihood reads documents as they are: prompt={input}, no shots")
        if self.shots is not None and self.calibrated:
            raise UsageError("task.calibrated=true: an empty question has no demonstrations; leave out shots")
        for option in ("letters", "calibrated"):
            if getattr(self, option) and self.method != "loglikelihood":
                raise UsageError(f"task.{option}=true is about likelihoods; it needs task.method=loglikelihood")
        metrics = [scorer.name for scorer in self.scorers.values()]
        if twice := {name for name in metrics if metrics.count(name) > 1}:
            raise UsageError(f"task {self.name}: two scorers are named {min(twice)}; give one another name")
        for scorer in self.scorers.values():
            if self.method != "loglikelihood" and getattr(scorer, "normalization", "sum") != "sum":
                raise UsageError(f"scorer {scorer.name} compares log-likelihoods; it needs task.method=loglikelihood")
        normalizations = {getattr(scorer, "normalization", "sum") for scorer in self.scorers.values()}
        if "calibrated" in normalizations and not self.calibrated:
            raise UsageError(
                "a scorer with normalization calibrated needs task.calibrated=true; or take scorer accuracy"
            )
        if self.letters and any(getattr(scorer, "normalization", "") == "byte" for scorer in self.scorers.values()):
            raise UsageError("task.letters=true: a letter has no length to divide by; use normalization sum or token")
        given = [self.languages] if isinstance(self.languages, str) else self.languages
        for code in given or ():
            if not isinstance(code, str):  # YAML reads an unquoted no as false
                raise UsageError(f"task.languages: {code!r} is no language code; quote it, as in ['no', 'fr']")
            languages.tag(code)
        object.__setattr__(self, "languages", given)
        templates = {"default": self.prompt} if isinstance(self.prompt, str) else dict(self.prompt)
        for name, template in templates.items():
            check_template(template, where="task.prompt" if isinstance(self.prompt, str) else f"task.prompt.{name}")
        named = {key if key == "default" else languages.tag(key): template for key, template in templates.items()}
        object.__setattr__(self, "_templates", named)

    @property
    def protocol(self) -> str:
        """How it asks: the method and its variants. Scores of different protocols do not compare."""
        return "+".join((self.method, *(name for name in VARIANTS if getattr(self, name))))

    def check(self, model: Model) -> None:
        """Refuse a model that cannot do what the task asks, before data or weights are loaded.

        Raises:
            CellError: it lacks the method.
        """
        offers = getattr(model, "offers", lambda method: hasattr(model, method))
        if not offers(self.method):
            raise CellError(
                f"model {model.name} offers no {self.method}, which task {self.name} needs; choose another of the two"
            )

    def samples(self, limit: int | None = None) -> Iterator[Sample]:
        """The samples as the model gets them, at most `limit` of each language."""
        wanted = None if self.languages is None else {languages.tag(code) for code in self.languages}
        seen: dict[str, int] = {}
        for sample in self.loader if wanted is None else narrowed(self.loader, wanted):
            if wanted is not None and sample.language not in wanted:
                continue
            seen[sample.language] = seen.get(sample.language, 0) + 1
            if limit is None or seen[sample.language] <= limit:
                sample = sample if self.condition is None else under(sample, self.condition)
                yield from map(self.ask, rotations(sample) if self.circular else (sample,))
            if limit is not None and wanted is not None and all(seen.get(tag, 0) >= limit for tag in wanted):
                return  # what is left is read in vain

    def ask(self, sample: Sample) -> Sample:
        """The sample with the prompt around its parts."""
        template = self._templates.get(sample.language) or self._templates.get("default")
        if template is None:
            raise UsageError(
                f"task {self.name}: task.prompt has no template for {sample.language}; add it or one named default"
            )
        shown = () if self.shots is None else self.shots.before(sample, template, letters=self.letters)
        return replace(
            sample,
            parts=(*shown, *fill_template(template, sample)),
            variants={n: tuple(fill_template(template, replace(sample, parts=p))) for n, p in sample.variants.items()},
        )


def narrowed(loader: Loader, wanted: Set[str]) -> Iterable[Sample]:
    """The loader for some languages alone, if it can leave the others unread; the samples of these are the same."""
    if not is_dataclass(loader) or getattr(loader, "languages", ()) is not None:
        return loader
    chosen = [tag for tag in loader.card.languages if tag in wanted]
    return cast("Loader", replace(loader, languages=chosen)) if chosen else ()


def under(sample: Sample, condition: Condition) -> Sample:
    """The sample with its recordings under a condition; what is random in it depends on the sample's id alone.

    Raises:
        UsageError: it has no recording, so that nothing would be done to it.
    """
    if not any(isinstance(part, Audio) for part in sample.parts):
        raise UsageError(f"sample {sample.id} has no recording to put under {condition.label}; take condition=clean")
    seeds = count(int.from_bytes(hashlib.sha256(sample.id.encode()).digest()[:6]))
    parts = [
        replace(part, condition=condition, seed=next(seeds)) if isinstance(part, Audio) else part
        for part in sample.parts
    ]
    return replace(sample, parts=tuple(parts))


def check_template(template: str, *, where: str) -> None:
    """Refuse a template with unknown fields or without the input."""
    try:
        found = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise UsageError(f"{where}: {error}; write a literal brace as {{{{ or }}}}") from error
    unknown = sorted(set(found) - _FIELDS)
    if unknown:
        raise UsageError(f"{where}: unknown field {{{unknown[0]}}}; known are {', '.join(sorted(_FIELDS))}")
    if found.count("input") != 1:
        raise UsageError(f"{where}: must hold {{input}} once, which is where the sample goes")


def fill_template(template: str, sample: Sample) -> list[Part]:
    """Parts of a template with a sample in it. Braces in the sample's own text mean nothing."""
    parts: list[Part] = []
    instruction = ""
    for literal, name, _, _ in string.Formatter().parse(template):
        instruction += literal
        if name == "input":
            parts += [Text(instruction, instruction=True), *sample.parts]
            instruction = ""
        elif name == "choices":
            instruction += lettered(sample.choices)
        elif name == "source":
            instruction += languages.language(sample.spoken).name
        elif name == "target":
            instruction += languages.language(sample.written).name
    parts.append(Text(instruction, instruction=True))
    return [part for part in parts if not isinstance(part, Text) or part.text]


def rotations(sample: Sample) -> Iterator[Sample]:
    """The sample with its choices in each of their rotations, `group["circular"]` naming the question.

    Liu et al. 2024, MMBench: Is Your Multi-modal Model an All-around Player?, section 4.3 (CircularEval).
    """
    options = len(sample.choices)
    if sample.answer is None or not options:
        raise UsageError(f"sample {sample.id}: has no choices to rotate; leave out task.circular")
    for by in range(options):
        yield replace(
            sample,
            id=f"{sample.id}#{by}",
            choices=sample.choices[by:] + sample.choices[:by],
            answer=(sample.answer - by) % options,
            group={**sample.group, "circular": sample.id},
        )


def letters_of(choices: Sequence[str]) -> tuple[str, ...]:
    """The letters that `{choices}` shows for these choices."""
    if len(choices) > len(_LETTERS):
        raise UsageError(f"{len(choices)} choices are more than there are letters; leave {{choices}} out of the prompt")
    return tuple(_LETTERS[: len(choices)])


def lettered(choices: Sequence[str]) -> str:
    """Options as lines "A. text"."""
    return "\n".join(f"{letter}. {choice}" for letter, choice in zip(letters_of(choices), choices, strict=True))
