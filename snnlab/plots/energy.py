"""Energy of each layer of a spiking network beside an ANN of the same shape."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from snnlab.plots.figure import BLUE, GRID, MICRO, MUTED, VERMILLION, drawing, write_csv
from snnlab.plots.hover import urls
from snnlab.plots.layer_names import layer_names

GREY = "#C9C9C9"


def plot_energy(
    layers: Sequence[Mapping[str, Any]],
    whole: Mapping[str, float],
    path: Path,
    *,
    convention: str,
    title: str = "",
) -> Path:
    """Draws a pair of points per layer on a logarithmic scale, and the totals.

    Args:
        layers: `LayerCost` of each layer as a mapping, in the order of the network.
        whole: their `TotalCost`.
        path: PNG file to write; the CSV beside it has all counts.
        convention: how it was counted, below the picture.
        title: above the picture.

    Returns:
        `path`.
    """
    import numpy as np
    from matplotlib.lines import Line2D

    def dot(colour: str, label: str) -> Line2D:
        return Line2D([], [], color=colour, marker="o", linestyle="", label=label)

    rows = np.arange(len(layers))
    snn = [layer["snn_pJ"] / 1e6 for layer in layers]
    ann = [layer["ann_pJ"] / 1e6 for layer in layers]
    positive = [value for value in (*snn, *ann) if value > 0] or [1.0]
    left = 10 ** float(np.floor(np.log10(min(positive))))
    shown = np.maximum(snn, left), np.maximum(ann, left)
    of_snn, of_ann = whole["snn_pJ"] / 1e6, whole["ann_pJ"] / 1e6
    names = layer_names((layer["name"] for layer in layers), "conv")
    labels = [names[layer["name"]] for layer in layers]
    with drawing(path, 8.6, 0.42 * len(layers) + 2.2, title) as figure:
        axes = figure.subplots()
        # Points: the length of a bar would mean nothing on an axis that has no zero.
        colours = [VERMILLION if layer["mac"] else BLUE for layer in layers]
        axes.hlines(
            rows, np.minimum(shown[0], shown[1]), np.maximum(*shown), color=GRID, linewidth=2, zorder=1
        )
        of_dots = axes.scatter(shown[1], rows, s=42, color=GREY, zorder=2)
        of_dots.set_urls(
            urls([f"{said}, ANN: {value:.4g} {MICRO}J" for said, value in zip(labels, ann, strict=True)])
        )
        of_dots = axes.scatter(shown[0], rows, s=42, color=colours, zorder=3)
        of_dots.set_urls(
            urls([f"{said}, SNN: {value:.4g} {MICRO}J" for said, value in zip(labels, snn, strict=True)])
        )
        axes.set(ylim=(len(layers) - 0.4, -0.6), xlabel=f"energy of one sample, {MICRO}J", xscale="log")
        axes.set_yticks(rows, labels)
        axes.set_xlim(left / 3, 4 * max(positive))
        ratio = f", {_times(of_ann / of_snn)} times as much" if of_snn else ""
        axes.set_title(f"SNN {_short(whole['snn_pJ'] / 1e12)}J, ANN {_short(whole['ann_pJ'] / 1e12)}J{ratio}")
        for row, (layer, energy) in enumerate(zip(layers, snn, strict=True)):
            kind, count = ("MAC", layer["mac"]) if layer["mac"] else ("AC", layer["ac"])
            place = (max(energy, left), row)
            axes.annotate(
                f"{_short(count)} {kind}",
                place,
                (0, 5),
                textcoords="offset points",
                ha="center",
                fontsize=7.5,
                color=MUTED,
            )
        axes.grid(axis="x")
        handles = [dot(BLUE, "SNN, accumulations (AC)"), dot(GREY, "ANN")]
        if VERMILLION in colours:
            handles.insert(1, dot(VERMILLION, "SNN, multiplications (MAC)"))
        figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=len(handles),
            title=convention,
            title_fontsize=8,
        )
    head = list(layers[0])
    rows_of_csv = [{**layer, "name": names[layer["name"]], "place": layer["name"]} for layer in layers]
    table = [[one.get(key) for key in (*head, "place")] for one in (*rows_of_csv, {"name": "total", **whole})]
    write_csv(path.with_suffix(".csv"), [*head, "place"], table)
    return path


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 0.1 else f"{ratio:.2g}"


def _short(value: float) -> str:
    """Three digits and a prefix: 0.0000449 -> "44.9 \N{MICRO SIGN}"."""
    for prefix, size in (
        ("T", 1e12),
        ("G", 1e9),
        ("M", 1e6),
        ("k", 1e3),
        ("", 1.0),
        ("m", 1e-3),
        (MICRO, 1e-6),
        ("n", 1e-9),
    ):
        if value >= 0.9995 * size:
            return f"{value / size:.3g} {prefix}".rstrip()
    return f"{value:.3g}"
