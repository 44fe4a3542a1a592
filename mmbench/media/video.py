"""Decodes frames of a video: the only module that touches PyAV."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any

from mmbench.errors import UsageError
from mmbench.media.source import guard, media_error, open_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL import Image as pil

    from mmbench.schema import Video

MAX_VIDEO_PIXELS = 300_000_000
"""Pixels of all frames that `load_frames` gives, 0.9 GB as RGB."""

END_TOLERANCE = 0.1
"""Seconds that a window may end after its file, as tables round their times."""

_MOST = 1_000_000  # a header may claim years
_MEND = "give a whole file that FFmpeg reads, such as mp4, webm, mkv or avi"


def load_frames(video: Video, *, fps: float | None = None, count: int | None = None) -> list[pil.Image]:
    """Decode frames of the window [start, end) as RGB pictures in order, each the one that is shown at its time.

    With `fps` the times are start, start + 1 / fps and so on; with `count` the middles of so many parts of equal length
    (a video with fewer frames shows some of them again). Only the frames that are given are kept in memory.

    Raises:
        MediaError: the file is missing, empty, damaged or has no picture; the window is empty or ends after the file;
            or the frames have more than `MAX_VIDEO_PIXELS` together.
        UsageError: PyAV is not installed.
        ValueError: not exactly one of `fps` and `count` is given, or it is not above 0.
    """
    if (fps is None) == (count is None) or not (fps or count or 0) > 0:
        raise ValueError(f"give one of fps={fps} and count={count}, above 0")
    av = _pyav()
    with guard(video.source, _MEND), open_source(video.source) as handle, av.open(handle) as container:
        if not container.streams.video:
            raise media_error(video.source, "has no picture, only sound", "give a video")
        stream = container.streams.video[0]
        end = _end(video, _seconds(container, stream))
        times = _times(video.start, end, fps, count)
        size = stream.codec_context.width * stream.codec_context.height
        if size * len(times) > MAX_VIDEO_PIXELS:
            what = f"{len(times)} frames of {stream.codec_context.width} x {stream.codec_context.height} pixels"
            raise media_error(video.source, f"{what} are more than {MAX_VIDEO_PIXELS}", "ask for fewer, or scale it")
        frames = list(_shown(container, stream, times))
        if not frames:
            raise media_error(video.source, "no frame in the window", "correct start and end")
        return frames


def _pyav() -> Any:
    try:
        import av
    except ImportError:
        raise UsageError("a video needs PyAV: pip install 'mmbench[video]'") from None
    return av


def _seconds(container: Any, stream: Any) -> float | None:
    """Length of the picture, where the header says it."""
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / 1e6


def _end(video: Video, length: float | None) -> float:
    """End of the window in seconds."""
    start, end = video.start, video.end
    times = f"[{start}, {'end' if end is None else end}) s"
    if not (math.isfinite(start) and start >= 0) or not (end is None or (math.isfinite(end) and end > start)):
        raise media_error(video.source, f"{times} is not a window", "0 <= start < end is needed")
    if end is None and length is None:
        raise media_error(video.source, "its header does not say how long it is", "give start and end")
    if length is not None and (start >= length or (end is not None and end > length + END_TOLERANCE)):
        raise media_error(video.source, f"nothing at {times}: it has {length:.3f} s", "correct start and end")
    return min(value for value in (end, length) if value is not None)


def _times(start: float, end: float, fps: float | None, count: int | None) -> list[float]:
    if count is not None:
        return [start + (end - start) * (part + 0.5) / count for part in range(count)]
    assert fps is not None
    frames = max(1, math.ceil(min((end - start) * fps, _MOST) - 1e-6))
    return [start + frame / fps for frame in range(frames)]


def _shown(container: Any, stream: Any, times: Sequence[float]) -> Iterator[pil.Image]:
    """The frame that is on the screen at each time: the last that began by then; behind the last frame that one."""
    origin = float((stream.start_time or 0) * stream.time_base)
    if times[0] > 1:
        container.seek(int((times[0] + origin) / stream.time_base), stream=stream)  # to the key frame before it
    waiting, shown = deque(times), None
    for frame in container.decode(stream):
        begins = math.inf if frame.time is None else float(frame.time) - origin
        while shown is not None and waiting and waiting[0] + 1e-6 < begins:
            waiting.popleft()
            yield shown.to_image()
        if not waiting:
            return
        shown = frame
    if shown is not None:
        yield from (shown.to_image() for _ in waiting)
