"""Inputs beside their encoding by the first layer's spikes, and the similarity of both."""

from collections.abc import Sequence
from pathlib import Path

from snnlab.plots.figure import BLUE, drawing, tip, whole_numbers, write_csv
from snnlab.plots.hover import hover_line

Pictures = Sequence[Sequence[Sequence[float]]]


def plot_encoding(
    inputs: Pictures,
    encoded: Pictures,
    of_shown: Sequence[float],
    alike: Sequence[Sequence[float]],
    path: Path,
    *,
    title: str = "",
) -> Path:
    """Draws some inputs above their encodings, and the mean similarity of all samples against the number of steps.

    Args:
        inputs: grey pictures, values from 0 to 1.
        encoded: the same samples after the first layer, all steps.
        of_shown: their similarity.
        alike: for each number of steps, the similarity of each sample that was measured.
        path: PNG file to write; the CSV beside it has mean, least and most for each number of steps, and `last`.
        title: above the picture.

    Returns:
        `path`.
    """
    means = [sum(one) / len(one) for one in alike]
    with drawing(path, 1.15 * len(inputs) + 3.4, 3.2, title) as figure:
        halves = figure.subfigures(1, 2, squeeze=False, width_ratios=(1.15 * len(inputs), 3.2))
        left, right = halves[0]
        panels = left.subplots(2, len(inputs), squeeze=False)
        for number, pair in enumerate(zip(inputs, encoded, strict=True)):
            for axes, picture in zip(panels[:, number], pair, strict=True):
                image = axes.imshow(picture, cmap="gray", vmin=0, vmax=1)
                image.set_url(tip(f"SSIM of both pictures: {of_shown[number]:.4f}"))
                axes.set(xticks=[], yticks=[])
            panels[1, number].set_xlabel(f"SSIM {of_shown[number]:.2f}")
        panels[0, 0].set_ylabel("input")
        panels[1, 0].set_ylabel("spikes")
        axes = right.subplots()
        axes.plot(range(1, len(means) + 1), means, color=BLUE, marker="o")
        hover_line(
            axes,
            range(1, len(means) + 1),
            means,
            [f"steps 1 to {t}: mean SSIM {mean:.4f}" for t, mean in enumerate(means, start=1)],
        )
        whole_numbers(axes, 1, len(means))
        axes.set(title=f"similarity, {len(alike[-1])} samples", xlabel="steps 1 to t", ylabel="SSIM")
        axes.set_ylim(min(0.0, 1.1 * min(means)), max(1.1 * max(means), 0.1))
        axes.grid(axis="y")
    rows = [
        [str(t), mean, min(one), max(one)] for t, (mean, one) in enumerate(zip(means, alike, strict=True), 1)
    ]
    write_csv(path.with_suffix(".csv"), ("t", "ssim", "least", "most"), [*rows, ["last", *rows[-1][1:]]])
    return path
