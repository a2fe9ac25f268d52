"""Every plot, with data as they come and with data that are hard to draw: readable, in bounds, with its values."""

import re
from html import unescape
from itertools import pairwise

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from snnlab.plots import figure as style
from snnlab.plots.figure import also_as
from tests.plots.gallery import GALLERY

LEAST_POINTS = 7.5
"""Of any letter, for a page of the picture's own size."""


@pytest.fixture(scope="module", params=GALLERY)
def piece(request):
    return GALLERY[request.param]


@pytest.fixture(scope="module")
def drawn(piece, tmp_path_factory):
    """The figure of a piece, laid out, and the texts that its SVG says."""
    kept, path = [], tmp_path_factory.mktemp("gallery") / "a.png"
    original = Figure.savefig

    def keep(figure, *args, **kwargs):
        kept.append(figure)
        return original(figure, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", keep)
        # That of the figure, in which the places of texts are read afterwards.
        patch.setitem(style.STYLE, "savefig.dpi", "figure")
        also_as(("svg",))
        piece.draw(path)
        also_as(())
    svg = path.with_suffix(".svg").read_text()
    assert "tip:" not in svg
    return kept[0], [unescape(text) for text in re.findall("<title>(.*?)</title>", svg, re.DOTALL)]


def shown(texts):
    return [one for one in texts if one.get_visible() and one.get_text().strip()]


def overlap(a: Bbox, b: Bbox) -> bool:
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 0.5 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.5


def tick_labels(axis):
    """Those inside the view; matplotlib keeps others."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    room = 1e-9 * (high - low)
    return shown(
        tick.label1
        for tick in ticks
        if low - room <= tick.get_loc() <= high + room and tick.label1.get_visible()
    )


def titles_of(figure):
    """Of all panels, and the labels of their axes."""
    return [
        text
        for axes in figure.axes
        for text in (axes._left_title, axes.title, axes.xaxis.label, axes.yaxis.label)
    ]


def axes_of(figure):
    return [axes for axes in figure.axes if axes.axison]


def test_tick_labels_do_not_overlap(drawn):
    for axes in axes_of(drawn[0]):
        if axes.name == "3d":
            continue
        for axis in (axes.xaxis, axes.yaxis):
            labels = tick_labels(axis)
            if any(label.get_rotation() for label in labels):
                # Boxes of slanted texts overlap where the texts do not: their lines are a line's height apart.
                starts = [label.get_window_extent().x1 for label in labels]
                height = labels[0].get_fontsize() * axes.figure.dpi / 72
                assert all(b - a > height for a, b in pairwise(starts))
                continue
            boxes = [label.get_window_extent() for label in labels]
            for n, box in enumerate(boxes):
                for m, other in enumerate(boxes[n + 1 :], n + 1):
                    assert not overlap(box, other), (labels[n].get_text(), labels[m].get_text())


def test_texts_are_large_enough_and_inside_the_picture(drawn):
    figure = drawn[0]
    page = figure.bbox.padded(1.5)
    ticks = [
        label for axes in axes_of(figure) for axis in (axes.xaxis, axes.yaxis) for label in tick_labels(axis)
    ]
    legends = [text for legend in figure.legends for text in (*legend.get_texts(), legend.get_title())]
    others = [text for axes in axes_of(figure) for text in axes.texts]
    for text in shown([*ticks, *titles_of(figure), *legends, *others, *figure.texts]):
        box = text.get_window_extent()
        assert text.get_fontsize() >= LEAST_POINTS, text.get_text()
        assert page.x0 <= box.x0, text.get_text()
        assert page.y0 <= box.y0, text.get_text()
        assert box.x1 <= page.x1, text.get_text()
        assert box.y1 <= page.y1, text.get_text()


def test_titles_labels_and_legends_do_not_lie_on_each_other_nor_on_data(drawn):
    figure = drawn[0]
    texts = [
        text
        for axes in figure.axes
        for text in (axes._left_title, axes.title, axes.xaxis.label, axes.yaxis.label)
    ]
    boxes = [(text.get_text(), text.get_window_extent()) for text in shown([*texts, *figure.texts])]
    of_axes = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    for legend in [*figure.legends, *of_axes]:
        # Its own box has a margin.
        parts = shown([*legend.get_texts(), legend.get_title()])
        boxes.append(("legend", Bbox.union([part.get_window_extent() for part in parts])))
    for n, (name, box) in enumerate(boxes):
        assert not [other for other, one in boxes[n + 1 :] if overlap(box, one)], name
        if name == "legend":
            assert not [axes for axes in figure.axes if overlap(box, axes.get_window_extent())]


def test_axes_with_numbers_say_what_they_are(drawn):
    figure = drawn[0]
    for axes in axes_of(figure):
        numbers = [label for label in tick_labels(axes.xaxis) if re.search(r"\d", label.get_text())]
        if numbers and axes.name != "3d":
            below = axes.get_xlabel() or figure.get_supxlabel()
            assert below or not re.fullmatch(r"[\d.]+", numbers[0].get_text()), axes.get_title(loc="left")
        numbers = [label for label in tick_labels(axes.yaxis) if re.fullmatch(r"[\d.]+", label.get_text())]
        beside = [other for other in figure.axes if other.get_shared_y_axes().joined(axes, other)]
        said = [one.get_ylabel() or one.get_title(loc="left") for one in (axes, *beside)]
        assert not numbers or any(said)


def test_tick_labels_are_values_not_differences_from_one(drawn):
    for axes in axes_of(drawn[0]):
        if axes.name != "3d":
            offsets = [axis.get_offset_text().get_text() for axis in (axes.xaxis, axes.yaxis)]
            assert not [one for one in offsets if "+" in one or "\N{MINUS SIGN}" in one[:1]]


def test_no_bar_stands_on_a_logarithmic_axis(drawn):
    for axes in drawn[0].axes:
        if "log" in (axes.get_xscale(), axes.get_yscale()):
            assert not [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def test_every_mark_says_its_value_in_the_svg(piece, drawn):
    assert len(drawn[1]) == piece.marks
    assert any(text == piece.says for text in drawn[1]) or not piece.says
    assert all(re.search(r"\d|does not fire|class", text) for text in drawn[1])
