"""Tesseract, optical character recognition in some 120 languages: a program and a file of weights for each of them.

It is the stage `ocr` of a cascade, or a model for tasks that ask for the text on an image. Debian has the program as
`tesseract-ocr`, the weights of a language as `tesseract-ocr-LANG` and those of a script as `tesseract-ocr-script-XXXX`.
The options are those of `tesseract --help-extra` (version 5.3), the codes those of the repository tessdata_fast.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from mmbench import languages
from mmbench.errors import ModelLoadError, SampleError, one_line
from mmbench.identity import digest, weights
from mmbench.media import encode_image
from mmbench.models.pictures import joined, pictures, pixels
from mmbench.schema import Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmbench.schema import Image, Sample

_CODES = """afr amh ara asm aze aze_cyrl bel ben bod bos bre bul cat ceb ces chr cos cym dan deu div dzo ell eng epo est
eus fao fas fil fin fra fry gla gle glg guj hat heb hin hrv hun hye iku ind isl ita jav jpn kan kat kaz khm kir kmr kor
lao lat lav lit ltz mal mar mkd mlt mon mri msa mya nep nld nor oci ori pan pol por pus que ron rus san sin slk slv snd
spa sqi srp srp_latn sun swa swe syr tam tat tel tgk tha tir ton tur uig ukr urd uzb uzb_cyrl vie yid yor"""
_MEMBERS = {
    "ara": "acm_Arab acq_Arab aeb_Arab ajp_Arab apc_Arab ars_Arab ary_Arab arz_Arab",
    "chi_sim": "zho_Hans",
    "chi_tra": "zho_Hant yue_Hant",
    "fas": "prs_Arab",
    "nor": "nno_Latn",
}
"""Languages that are read with weights whose code says another one or none."""
_SCRIPTS = dict(
    pair.split(":")
    for pair in """Arab:Arabic Armn:Armenian Beng:Bengali Cans:Canadian_Aboriginal Cher:Cherokee Cyrl:Cyrillic
    Deva:Devanagari Ethi:Ethiopic Geor:Georgian Grek:Greek Gujr:Gujarati Guru:Gurmukhi Hang:Hangul Hans:HanS Hant:HanT
    Hebr:Hebrew Jpan:Japanese Khmr:Khmer Knda:Kannada Laoo:Lao Latn:Latin Mlym:Malayalam Mymr:Myanmar Orya:Oriya
    Sinh:Sinhala Syrc:Syriac Taml:Tamil Telu:Telugu Thaa:Thaana Thai:Thai Tibt:Tibetan""".split()
)
"""Weights of all languages of a script, by its ISO 15924 code."""


class _Piece(NamedTuple):
    """One image: the index of its sample, the weights that read it, and what messages call it."""

    image: Image
    owner: int
    code: str
    where: str


class Data(NamedTuple):
    """Weights: their name without a folder, and the Debian package that brings them."""

    name: str
    package: str


def data_for(tag: str) -> Data | None:
    """The weights that read a language: its own where Tesseract has some, or else those of its script.

    What is installed does not matter here, so that no machine reads a language in another way than the next.
    """
    if code := _by_tag().get(tag):
        return Data(code, f"tesseract-ocr-{code.replace('_', '-')}")
    script = tag.partition("_")[2]
    return Data(_SCRIPTS[script], f"tesseract-ocr-script-{script.lower()}") if script in _SCRIPTS else None


@cache
def _by_tag() -> dict[str, str]:
    found = {}
    for code in _CODES.split():
        language, _, script = code.partition("_")
        found[languages.tag(f"{language}_{script.title()}" if script else language)] = code
    return found | {tag: code for code, tags in _MEMBERS.items() for tag in tags.split()}


@dataclass(kw_only=True)
class Tesseract:
    """The program with the weights that are installed.

    It reads each image of a sample in the language `Sample.spoken`. Line ends become spaces, or nothing where the
    language has no spaces; a word that is hyphenated at the end of a line stays in two.

    Args:
        name: name of the model's folder in the results.
        code: weights for all samples as `tesseract --list-langs` names them, such as eng or hin+eng; None picks each
            sample's.
        languages: weights by language where they are to be others: {swh_Latn: swa+eng}.
        psm: mode of page segmentation: 3 finds columns and blocks, 6 takes one block, 7 one line, 11 scattered text.
        oem: engine: 1 is the neural one.
        dpi: resolution that images are said to have; None lets the program estimate it.
        tessdata: folder of weights such as a checkout of tessdata_best; None is the program's own.
        program: name or path of the program.
        threads: images that are read at the same time; 0 is one for each core.
        seconds: limit of one image.
    """

    name: str
    code: str | None = None
    languages: Mapping[str, str] = field(default_factory=dict)
    psm: int = 3
    oem: int = 1
    dpi: int | None = None
    tessdata: str | None = field(default=None, compare=False)
    program: str = field(default="tesseract", compare=False)
    threads: int = field(default=0, compare=False)
    seconds: float = field(default=300.0, compare=False)
    _installed: frozenset[str] = field(default=frozenset(), init=False, repr=False, compare=False)
    _chosen: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def transcribes(self) -> bool:
        """Whether it answers with the text on the image, whatever a task asks for."""
        return True

    @property
    def content(self) -> str:
        """Identity of the program's version and of all weights that are installed."""
        if shutil.which(self.program) is None:
            return "unknown"
        version = self._run(["--version"]).stdout.decode(errors="replace").splitlines()[:2]
        folder, installed = self._listed()
        return f"sha256:{digest([version, weights(folder) if folder else installed])[:32]}"

    def load(self) -> None:
        """Ask the program which weights it has.

        Raises:
            ModelLoadError: it is not installed, has no weights, or lacks those of the settings.
            UsageError: `languages` names none.
        """
        if self._installed:
            return
        if shutil.which(self.program) is None:
            raise ModelLoadError(
                f"model {self.name}: there is no program {self.program}; apt-get install tesseract-ocr and "
                "tesseract-ocr-LANG for each language, or tesseract-ocr-all"
            )
        folder, installed = self._listed()
        if not installed:
            raise ModelLoadError(
                f"model {self.name}: there are no weights in {folder or 'the folder of tesseract'}; "
                "apt-get install tesseract-ocr-LANG, or set model.tessdata"
            )
        self._chosen = {languages.tag(tag): code for tag, code in self.languages.items()}
        for code in [*([self.code] if self.code else []), *self._chosen.values()]:
            if missing := [name for name in code.split("+") if name not in installed]:
                raise ModelLoadError(
                    f"model {self.name}: there are no weights {missing[0]}, only {', '.join(sorted(installed))}"
                )
        self._installed = installed

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Read the images of each sample; several images give one text."""
        self.load()
        pieces = [
            _Piece(image, index, self._code(sample), f"sample {sample.id}, image {number}")
            for index, sample in enumerate(batch)
            for number, image in enumerate(pictures(sample))
        ]
        with ThreadPoolExecutor(self.threads or os.cpu_count()) as pool:
            read = list(pool.map(self._read, pieces))
        lines: list[list[str]] = [[] for _ in batch]
        for piece, text in zip(pieces, read, strict=True):
            lines[piece.owner] += text.splitlines()
        return [Output(text=joined(own, sample.spoken)) for own, sample in zip(lines, batch, strict=True)]

    def _code(self, sample: Sample) -> str:
        """Name of the weights for a sample, as the program wants it."""
        tag = sample.spoken
        if code := self.code or self._chosen.get(tag):
            return code
        data = data_for(tag)
        name = languages.language(tag).name
        if data is None:
            raise SampleError(
                f"sample {sample.id}: Tesseract reads neither {name} ({tag}) nor its script; "
                f"model.languages={{{tag}: CODE}} takes other weights"
            )
        for spelled in (data.name, f"script/{data.name}"):  # Debian has those of scripts beside the others
            if spelled in self._installed:
                return spelled
        raise SampleError(
            f"sample {sample.id}: Tesseract has no weights {data.name} for {name} here; apt-get install {data.package}"
        )

    def _read(self, piece: _Piece) -> str:
        """The text on one image, line by line."""
        options = ["stdin", "stdout", "-l", piece.code, "--psm", str(self.psm), "--oem", str(self.oem)]
        options += [] if self.dpi is None else ["--dpi", str(self.dpi)]
        try:
            done = self._run([*options, *self._folder], encode_image(pixels(piece.image)))
        except subprocess.TimeoutExpired:
            raise SampleError(f"{piece.where}: no answer in {self.seconds:g} s; set model.seconds") from None
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it says nothing"]
            why = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
            raise SampleError(f"{piece.where}: {self.program} -l {piece.code} ends with {why}: {said[0]}")
        return done.stdout.decode(errors="replace")

    @property
    def _folder(self) -> list[str]:
        return [] if self.tessdata is None else ["--tessdata-dir", self.tessdata]

    def _listed(self) -> tuple[str, frozenset[str]]:
        """Folder of the weights, where the program says it, and their names."""
        done = self._run(["--list-langs", *self._folder])
        lines = (done.stdout or done.stderr).decode(errors="replace").splitlines()
        if done.returncode or not lines:
            raise ModelLoadError(f"model {self.name}: {self.program} --list-langs fails: {' '.join(lines[-1:])}")
        return lines[0].partition('"')[2].partition('"')[0], frozenset(lines[1:])

    def _run(self, arguments: Sequence[str], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        # Its own threads make one image slower, and images are read at the same time already.
        own = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        try:
            return subprocess.run(
                [self.program, *arguments], input=given, capture_output=True, timeout=self.seconds, env=own, check=False
            )
        except OSError as error:
            raise ModelLoadError(f"model {self.name}: {self.program} cannot be run: {one_line(error)}") from error
