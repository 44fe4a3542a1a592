"""RapidOCR: PaddleOCR's PP-OCRv6 on ONNX, with the weights inside the package, for Chinese, Japanese and Latin script.

It is the stage `ocr` of a cascade, or a model for tasks that ask for the text on an image. The languages are those that
`rapidocr/default_models.yaml` of rapidocr 3.10 lists for PP-OCRv6, without Vietnamese: the recogniser has no letters
such as ệ and leaves them out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mmbench import languages
from mmbench.errors import ModelLoadError, SampleError
from mmbench.identity import weights
from mmbench.models.loading import cannot_load
from mmbench.models.pictures import joined, pictures, pixels
from mmbench.schema import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mmbench.schema import Image, Sample

_MODELS = "package://rapidocr/models"
_READS = """zho_Hans zho_Hant yue_Hant eng_Latn jpn_Jpan afr_Latn als_Latn azj_Latn bos_Latn cat_Latn ces_Latn cym_Latn
dan_Latn deu_Latn est_Latn eus_Latn fin_Latn fra_Latn gle_Latn glg_Latn hrv_Latn hun_Latn ind_Latn isl_Latn ita_Latn
kmr_Latn lat_Latn lit_Latn ltz_Latn lvs_Latn mlt_Latn mri_Latn nld_Latn nno_Latn nob_Latn oci_Latn pol_Latn por_Latn
quy_Latn roh_Latn ron_Latn slk_Latn slv_Latn spa_Latn srp_Latn swe_Latn swh_Latn tgl_Latn tur_Latn uzn_Latn zsm_Latn"""


@dataclass(kw_only=True)
class RapidOcr:
    """PP-OCRv6 small: finds lines and reads them, one image at a time on the CPU.

    Lines are read from top to bottom and from left to right, whatever the columns of a page; vertical text is not put
    in order. What stands beside each other on one line may come in several pieces.

    Args:
        name: name of the model's folder in the results.
        least_confidence: lines that the model is less sure of are left out; 0 keeps them all.
        turned: whether lines may stand upside down. What looks for such lines turns some upright ones of Latin
            script as well, which are then read as nonsense.
        box_threshold: how sure the model must be that there is text at all.
        max_side: pixels of the longer side above which an image is scaled down.
        languages: tags that it may be asked to read; None is those that the weights have letters for.
        threads: of onnxruntime; 0 is one for each core.
    """

    name: str
    least_confidence: float = 0.0
    turned: bool = False
    box_threshold: float = 0.5
    max_side: int = 2000
    languages: Sequence[str] | None = None
    threads: int = field(default=0, compare=False)
    _engine: Any = field(default=None, init=False, repr=False, compare=False)
    _known: frozenset[str] = field(default=frozenset(), init=False, repr=False, compare=False)

    @property
    def transcribes(self) -> bool:
        """Whether it answers with the text on the image, whatever a task asks for."""
        return True

    @property
    def content(self) -> str:
        """Identity of the weights."""
        return weights(_MODELS)

    def load(self) -> None:
        """Load the three graphs of the package.

        Raises:
            ModelLoadError: the package is not installed or cannot be loaded.
            UsageError: `languages` names none.
        """
        if self._engine is not None:
            return
        self._known = frozenset(map(languages.tag, _READS.split() if self.languages is None else self.languages))
        try:
            from rapidocr import RapidOCR
        except ImportError as error:
            raise ModelLoadError(f"model {self.name} needs rapidocr ({error}): pip install 'mmbench[ocr]'") from error
        settings = {
            "Global.text_score": self.least_confidence,
            "Global.max_side_len": self.max_side,
            "Global.log_level": "critical",
            "Global.use_cls": self.turned,
            "Det.box_thresh": self.box_threshold,
            "EngineConfig.onnxruntime.intra_op_num_threads": self.threads or -1,
        }
        try:
            self._engine = RapidOCR(params=settings)
        except Exception as error:  # whatever OmegaConf and onnxruntime raise
            raise ModelLoadError(cannot_load(_MODELS, error)) from error

    def generate(self, batch: Sequence[Sample]) -> list[Output]:
        """Read the images of each sample; several images give one text."""
        self.load()
        return [self._answer(sample) for sample in batch]

    def _answer(self, sample: Sample) -> Output:
        if sample.spoken not in self._known:
            name = languages.language(sample.spoken).name
            raise SampleError(
                f"sample {sample.id}: {self.name} has no letters of {name} ({sample.spoken}); "
                "take model tesseract, or set model.languages"
            )
        lines: list[str] = []
        notes: list[str] = []
        for image in pictures(sample):
            found, note = self._read(image, sample)
            lines += found
            notes += note
        return Output(text=joined(lines, sample.spoken), notes=tuple(notes))

    def _read(self, image: Image, sample: Sample) -> tuple[list[str], list[str]]:
        """The pieces of text on one image, in reading order, and a note if it was scaled down."""
        shown = pixels(image)
        note = [f"scaled {max(shown.shape)} px to {self.max_side}"] if max(shown.shape) > self.max_side else []
        said = self._engine(np.ascontiguousarray(shown[:, :, ::-1]))  # it takes blue first
        texts = getattr(said, "txts", None)
        if texts is None and said.boxes is not None:  # it logs an error of its recogniser and goes on without text
            raise SampleError(f"sample {sample.id}: {self.name} found text on an image and failed to read it")
        return ([] if texts is None else [texts[index] for index in reading_order(said.boxes)]), note


def reading_order(boxes: NDArray[np.floating[Any]]) -> list[int]:
    """Indices of pieces of text, line by line from the top and from left to right within a line.

    A piece is on a line where its middle is as high as some part of the line's first piece.

    Args:
        boxes: corners of shape (n, 4, 2), x before y, y downwards.
    """
    top, middle, bottom = boxes[:, :, 1].min(1), boxes[:, :, 1].mean(1), boxes[:, :, 1].max(1)
    rows: list[list[int]] = []
    for index in map(int, np.argsort(middle, kind="stable")):
        if rows and top[rows[-1][0]] <= middle[index] <= bottom[rows[-1][0]]:
            rows[-1].append(index)
        else:
            rows.append([index])
    left = boxes[:, :, 0].min(1)
    return [index for row in rows for index in sorted(row, key=lambda i: float(left[i]))]
