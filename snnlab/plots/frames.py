"""The input of the network: the event frames of one sample, or a static image."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snnlab.plots.figure import BLUE, GREEN, INK, MUTED, VERMILLION, drawing, tip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

MAX_COLUMNS = 8
MAX_PANELS = 24
MAX_LETTERS = 15


def plot_frames(
    frames_TCHW: "ArrayLike", path: Path, *, label: str, predictions: Sequence[str] = (), title: str = ""
) -> Path:
    """Draws one panel per time step, with the predicted class below it, green if right, orange if wrong.

    For more than 24 steps, each panel sums neighbouring steps and shows the prediction at the last of them.

    Two channels are events: OFF (channel 0) blue, ON (channel 1) orange, both dark; the depth of the colour
    is the count, up to the sample's 99th percentile. One or three channels are a static image.

    Args:
        frames_TCHW: counts of one sample [T, 2, H, W], or an image [1, C, H, W] in [0, 1] or 0..255.
        path: PNG file to write.
        label: the true class.
        predictions: predicted class at every time step, e.g. cumulative; a static image shows the last.
        title: before the true class, above the picture.

    Returns:
        `path`.

    Raises:
        ValueError: the array is not [T, C, H, W] with 1, 2 or 3 channels.
    """
    import numpy as np
    from matplotlib.patches import Patch

    frames = np.asarray(frames_TCHW, dtype=np.float64)
    if frames.ndim != 4 or frames.shape[1] not in (1, 2, 3):
        raise ValueError(f"frames must be [T, 1..3, H, W], got {list(frames.shape)}")
    events = frames.shape[1] == 2
    per_panel = -(-len(frames) // MAX_PANELS) if events else 1
    starts = range(0, len(frames), per_panel)
    ends = [min(start + per_panel, len(frames)) for start in starts]
    pictures = _event_colours(np.add.reduceat(frames, list(starts))) if events else _image_colours(frames[:1])
    said = [
        _said(frames[start:end], start, end) if events else label
        for start, end in zip(starts, ends, strict=True)
    ]
    told = list(predictions)[-1:]
    if events:
        told = [predictions[end - 1] for end in ends if end <= len(predictions)]
    rows = -(-len(pictures) // MAX_COLUMNS)
    columns = -(-len(pictures) // rows)
    width, height = max(1.5 * columns, 4.0), 1.95 * rows + (0.85 if events else 0.55)
    with drawing(path, width, height, ", ".join(filter(None, (title, f"true class: {label}")))) as figure:
        panels = figure.subplots(rows, columns, squeeze=False).flat
        for axes in panels[len(pictures) :]:
            axes.set_axis_off()
        for index, (axes, picture) in enumerate(zip(panels, pictures, strict=False)):
            image = axes.imshow(picture, interpolation="nearest")
            image.set_url(tip(said[index] + (f"; predicted: {told[index]}" if index < len(told) else "")))
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set(visible=True, color=MUTED, linewidth=0.6)
            if events:
                first, last = starts[index] + 1, ends[index]
                steps = f"{first}" if first == last else f"{first}-{last}"
                axes.set_title(f"t = {steps}", fontsize=9, fontweight="normal", color=INK)
            if index < len(told):
                right = told[index] == label
                axes.set_xlabel(
                    _short(told[index]), fontsize=9, fontweight="bold", color=GREEN if right else VERMILLION
                )
        if events:
            handles = [Patch(color=VERMILLION, label="ON events"), Patch(color=BLUE, label="OFF events")]
            figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return path


def _short(name: str) -> str:
    """As much of a class name as there is room below a panel."""
    return name if len(name) <= MAX_LETTERS else name[: MAX_LETTERS - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def _said(frames_TCHW: "NDArray[np.float64]", start: int, end: int) -> str:
    off, on = frames_TCHW.sum((0, 2, 3))
    steps = f"t = {end}" if end == start + 1 else f"t = {start + 1} to {end}"
    return f"{steps}: {on:g} ON events, {off:g} OFF events"


def _event_colours(frames_TCHW: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Counts to colours on white [T, H, W, 3]; both polarities darken the same pixel."""
    import numpy as np
    from matplotlib.colors import to_rgb

    active = frames_TCHW[frames_TCHW > 0]
    top = float(np.percentile(active, 99)) if active.size else 1.0
    # The square root keeps a single event visible beside a busy pixel.
    depth = np.sqrt(np.clip(frames_TCHW / max(top, 1e-12), 0, 1))
    off, on = (np.array(to_rgb(colour)) for colour in (BLUE, VERMILLION))
    off_THW1, on_THW1 = depth[:, 0, :, :, None], depth[:, 1, :, :, None]
    picture: NDArray[np.float64] = (1 - off_THW1 * (1 - off)) * (1 - on_THW1 * (1 - on))
    return picture


def _image_colours(images_NCHW: "NDArray[np.float64]") -> "NDArray[np.float64]":
    import numpy as np

    scaled = images_NCHW / 255 if images_NCHW.max() > 1 else images_NCHW
    return np.clip(np.repeat(scaled, 3 // scaled.shape[1], axis=1).transpose(0, 2, 3, 1), 0, 1)
