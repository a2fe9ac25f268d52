"""A map of neurons by samples, coloured by the magnitude of the membrane potential."""

from collections.abc import Sequence
from pathlib import Path

from snnlab.plots.figure import drawing, write_csv
from snnlab.plots.hover import hover_rows


def plot_magnitudes(
    magnitudes: Sequence[Sequence[float]],
    path: Path,
    *,
    limit: float | None = None,
    title: str = "",
    layer: str = "",
) -> Path:
    """Draws a map with the samples from left to right and the neurons from top to bottom.

    Args:
        magnitudes: for each neuron, that of each sample.
        path: PNG file to write; the CSV beside it has a row for each neuron and sample.
        limit: magnitude at the end of the colours, equal for pictures to be compared; None: the greatest.
        title: above the picture.
        layer: name of the layer.

    Returns:
        `path`.

    Raises:
        ValueError: no neuron or no sample.
    """
    if not magnitudes or not magnitudes[0]:
        raise ValueError("magnitudes: nothing to draw")
    with drawing(path, 6.4, 4.4, title) as figure:
        axes = figure.subplots()
        shown = axes.imshow(
            magnitudes, cmap="viridis", aspect="auto", interpolation="nearest", vmin=0, vmax=limit
        )
        means = [sum(values) / len(values) for values in magnitudes]
        texts = [
            f"neuron {n}: mean {mean:.3g}, greatest {max(values):.3g}"
            for n, (mean, values) in enumerate(zip(means, magnitudes, strict=True))
        ]
        hover_rows(axes, texts, len(magnitudes[0]))
        axes.set(title=layer, xlabel="sample", ylabel="neuron")
        extend = "max" if limit is not None and max(map(max, magnitudes)) > limit else "neither"
        figure.colorbar(shown, ax=axes, pad=0.02, label="|potential before reset|", extend=extend)
    rows = [
        [neuron, sample, value]
        for neuron, values in enumerate(magnitudes)
        for sample, value in enumerate(values)
    ]
    write_csv(path.with_suffix(".csv"), ("neuron", "sample", "magnitude"), rows)
    return path
