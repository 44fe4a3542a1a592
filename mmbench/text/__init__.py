"""Text as the metrics see it: normalised alike on both sides, then split into the units that errors are counted in.

`normalizers` has the named, versioned normalisers, `options` what may be added to them, `segmenters` what finds words
where no spaces separate them, and `units` counts.
"""

from mmbench.text.normalizers import NORMALIZERS, normalize, normalizer_version
from mmbench.text.options import OPTIONS
from mmbench.text.segmenters import SEGMENTERS, segment, segmenter_version
from mmbench.text.units import Unit, units

__all__ = [
    "NORMALIZERS",
    "OPTIONS",
    "SEGMENTERS",
    "Unit",
    "normalize",
    "normalizer_version",
    "segment",
    "segmenter_version",
    "units",
]
