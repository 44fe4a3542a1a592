"""Dialogues of the puzzle game Fish Fillets: 3 h of acted speech in Czech and Dutch, with translations, from Debian.

Two fish, and now and then a snail, a crab or a Viking, talk about what they see. Lines are recorded by actors with
some effects on the voices; the Czech ones are the original, the Dutch ones a
translation. The text
of a line is the subtitle that the game shows while it is spoken: mostly, but not always, word for word. The English
text comes with the game; eleven more languages were translated from it by volunteers, some in part, and nobody has
checked them here.

A line is known by its level and its id, and nothing else joins recordings and texts. Left out are lines whose text
has a number filled in by the game (`%1`) or no letters, and recordings that are the same file byte for byte as
another; `contents` counts them, and what has no text or no recording. Swiss German (`de_CH`) is left out too, because
its tag would be that of German.

The layout was read from the scripts in the package, above all `script/share/level_dialog.lua`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from loaders.tuxpaint_stamps import package_version, repeated
from mmbench.errors import UsageError
from mmbench.languages import tag
from mmbench.schema import Audio, Card, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Task = Literal["asr", "translation"]
"""Speech recognition, or speech translation into the language of `target`."""

SPOKEN = {"ces_Latn": "cs", "nld_Latn": "nl"}
"""Languages with recordings, and what the game calls them."""

_FOLDERS = {"black": "blackjokes", "bore": "borejokes", "border": "border", "shout": "border", "intro": "intro"}
# Where the game looks for the recordings of the dialogues that all levels share, by the begin of the script's name.

_STRING = r'"((?:\\.|[^"\\])*)"'
_OTHER = r'"(?:\\.|[^"\\])*"'
_TOKENS = re.compile(
    rf"--\[\[.*?\]\]|--[^\n]*|dialogId\s*\(\s*{_STRING}\s*,\s*{_STRING}\s*,\s*{_STRING}\s*\)"
    rf"|dialogStr\s*\(\s*{_STRING}\s*\)|{_OTHER}",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_CHARACTERS = {"font_small": "small fish", "font_big": "big fish"}


class Line(NamedTuple):
    """One line of a dialogue: the font that the game shows it in, the English text and that of the file's language."""

    font: str
    english: str
    text: str | None


class Recording(NamedTuple):
    """A recorded line: level, id, language tag, file and text."""

    level: str
    name: str
    language: str
    file: Path
    line: Line


def unescape(text: str) -> str:
    r"""What a Lua string literal means, given without its quotes: `\"`, `\\`, `\n`, `\228` and so on."""

    def meaning(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code)) if code.isdigit() else _ESCAPES.get(code, code)

    return re.sub(r"\\(\d{1,3}|.)", meaning, text, flags=re.DOTALL)


def read_lines(path: Path) -> dict[str, Line]:
    """Lines of a script by id, in its order; of two with one id the first counts.

    A line is `dialogId("id", "font", "English")` and, in other languages, `dialogStr("text")` after it. Comments and
    strings elsewhere mean nothing, nor do ids that the script puts together.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        script = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({type(error).__name__}); install its package again") from None
    lines: dict[str, Line] = {}
    last = ""
    for match in _TOKENS.finditer(script):
        name, font, english, text = match.groups()
        if name is not None:
            last = name
            lines.setdefault(name, Line(font, words(english), None))
        elif text is not None and last in lines and lines[last].text is None:
            lines[last] = lines[last]._replace(text=words(text))
    return lines


def words(literal: str) -> str:
    """The text of a string literal on one line."""
    return " ".join(unescape(literal).split())


def read_language(root: Path, code: str) -> dict[tuple[str, str], Line]:
    """Lines of one language by level and id, for `root` the folder of the game.

    The level of what all levels share is `share/` and the folder of its recordings.
    """
    lines: dict[tuple[str, str], Line] = {}
    for path in sorted((root / "script").glob(f"*/*dialogs_{code}.lua")):
        level = path.parent.name
        if level == "share":
            start = path.name.partition("_")[0]
            level = f"share/{_FOLDERS.get(start, start)}"
        for name, line in read_lines(path).items():
            lines.setdefault((level, name), line)
    return lines


def fault(text: str | None) -> str | None:
    """Why a text cannot be used, in a word; None where it can."""
    if not text or not any(char.isalpha() for char in text):
        return "no words"
    return "number filled in" if re.search(r"%\d", text) else None


@dataclass(kw_only=True)
class FishFillets:
    """The dialogues.

    Args:
        root: folder with `games/fillets-ng` and `doc`; another one where the packages were unpacked by `dpkg -x`.
        languages: codes of the languages that are spoken, any spelling; None for both.
        task: one of `Task`.
        target: code of the language that task=translation is into, any spelling; a line that lacks it is left out.
    """

    root: str = field(default="/usr/share", compare=False)
    languages: Sequence[str] | None = None
    task: Task = "asr"
    target: str = "eng_Latn"

    def __post_init__(self) -> None:
        """Check the settings, not the files."""
        if self.task not in get_args(Task):
            raise UsageError(f"task={self.task!r} is not known: give one of {', '.join(get_args(Task))}")
        given = [self.languages] if isinstance(self.languages, str) else self.languages
        self._wanted = tuple(SPOKEN) if given is None else tuple(dict.fromkeys(tag(code) for code in given))
        if unknown := sorted(set(self._wanted) - set(SPOKEN)):
            raise UsageError(f"languages: {', '.join(unknown)} not in the dataset, which has {', '.join(SPOKEN)}")
        tag(self.target)

    def validate(self) -> None:
        """Check that the packages are here and have what the settings ask for, or raise a UsageError."""
        if not self.count:
            raise UsageError(f"target={self.target}: no line of the languages is translated into it; take another")

    @property
    def _game(self) -> Path:
        return Path(self.root) / "games" / "fillets-ng"

    @cached_property
    def contents(self) -> tuple[tuple[Recording, ...], Counter[str]]:
        """What is recorded and can be used, by level and id, and how many of what cannot, by reason."""
        missing = [
            f"fillets-ng-data-{SPOKEN[language]}"
            for language in self._wanted
            if not next((self._game / "sound").glob(f"*/{SPOKEN[language]}/*.ogg"), None)
        ]
        if missing or not (self._game / "script").is_dir():
            raise UsageError(
                f"no dialogues in {self._game}: sudo apt-get install {' '.join(['fillets-ng-data', *missing])} (or "
                "apt-get download them, dpkg -x each into one FOLDER and give root=FOLDER/usr/share)"
            )
        found: list[Recording] = []
        skipped: Counter[str] = Counter()
        for language in self._wanted:
            own = self._recordings(language, skipped)
            reasons = repeated({one.file: one.line.text or "" for one in own})
            skipped.update(reasons.values())
            found += [one for one in own if one.file not in reasons]
        return tuple(sorted(found)), skipped

    def _recordings(self, language: str, skipped: Counter[str]) -> list[Recording]:
        """What is recorded in a language and has a text; counts the rest."""
        sound, code, found = self._game / "sound", SPOKEN[language], []
        lines = read_language(self._game, code)
        files = {
            (path.parent.parent.relative_to(sound).as_posix(), path.stem): path for path in sound.rglob(f"{code}/*.ogg")
        }
        skipped["recording without text"] += len(files.keys() - lines.keys())
        skipped["text without recording"] += len(lines.keys() - files.keys())
        for key in sorted(lines.keys() & files.keys()):
            if reason := fault(lines[key].text):
                skipped[reason] += 1
            else:
                found.append(Recording(*key, language, files[key], lines[key]))
        return found

    @cached_property
    def _translations(self) -> dict[tuple[str, str], str]:
        """Texts in the target language by level and id."""
        english = tag(self.target) == tag("en")
        scripts = (self._game / "script").glob("*/dialogs_??.lua")  # without de_CH, whose tag is that of de
        codes = sorted({path.stem.removeprefix("dialogs_") for path in scripts})
        code = next((code for code in codes if tag(code) == tag(self.target)), None)
        if code is None:
            raise UsageError(f"target={self.target}: the game has no such texts, only {', '.join(map(tag, codes))}")
        lines = read_language(self._game, code)
        texts = {key: line.english if english else line.text for key, line in lines.items()}
        return {key: text for key, text in texts.items() if text is not None and not fault(text)}

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples, sorted by level, id and language."""
        target = tag(self.target) if self.task == "translation" else None
        for recording in self.contents[0]:
            text = recording.line.text
            key = (recording.level, recording.name)
            answer = text if target is None else self._translations.get(key)
            if answer is None or recording.language == target:
                continue
            yield Sample(
                id=f"{recording.level}/{recording.name}/{recording.language}",
                language=recording.language,
                parts=(Audio(recording.file, transcript=text),),
                references=(answer,),
                target_language=target,
                group={"level": recording.level, "character": _CHARACTERS.get(recording.line.font, "other")},
            )

    @property
    def count(self) -> int:
        """Number of samples."""
        return sum(1 for _ in self)

    @property
    def card(self) -> Card:
        """Identity and terms; the content hash is of ids, texts and file sizes."""
        total, names = hashlib.sha256(), set()
        sizes = {(one.level, one.name, one.language): one.file.stat().st_size for one in self.contents[0]}
        for sample in self:
            level, name, language = sample.id.rsplit("/", 2)
            size = sizes[level, name, language]
            total.update(f"{sample.id}\t{sample.transcript}\t{sample.references[0]}\t{size}\n".encode())
            names.add(sample.language)
        return Card(
            name="fish_fillets",
            revision=f"fillets-ng-data {package_version(Path(self.root), 'fillets-ng-data')}",
            content=total.hexdigest(),
            languages=tuple(sorted(names)),
            licence="GPL-2",
            source="Debian packages fillets-ng-data, fillets-ng-data-cs, fillets-ng-data-nl; http://fillets.sourceforge.net",
            citation="ALTAR interactive, Ivo and Pavel Danihelka and translators: Fish Fillets NG",
        )
