"""Line charts of a page: tooltips, legend, limits."""

import pytest

from snnlab.plots.line_chart import HEIGHT, MOST_DOTS, WIDTH, LineChart, Series
from tests.plots.svg import parsed, titles


def test_lines_have_a_tooltip_at_their_points_and_one_legend_for_each_kind():
    chart = LineChart(
        "Accuracy, %",
        [
            Series("a", 0, [(1, 0.5), (2, 0.25)], group="k"),
            Series("b", 0, [(1, 1)], True, "k"),
            Series("none", 1, []),
        ],
        "epoch",
        digits=2,
    )
    assert [name for name, _ in chart.legend] == ["k"]
    svg = chart.svg()
    assert titles(svg) == ["a, epoch 1: 0.50", "a, epoch 2: 0.25", "b, epoch 1: 1.00"]
    assert "var(--a)" in svg
    assert "var(--b)" not in svg
    assert chart.svg() == svg


def test_long_lines_have_some_tooltips_and_the_last():
    found = titles(LineChart("t", [Series("a", 0, [(x, x) for x in range(1, 302)])], "epoch").svg())
    assert MOST_DOTS / 2 < len(found) <= MOST_DOTS + 1
    assert found[-1].startswith("a, epoch 301")


@pytest.mark.parametrize("points", [[(3, 2.0)], [(1, 0.0), (2, 0.0)], [(1, 1e-6), (2, 3e-6)]])
@pytest.mark.parametrize("from_zero", [True, False])
def test_equal_and_single_values_are_drawn_inside(points, from_zero):
    root = parsed(LineChart("t", [Series("a", 0, points)], "epoch", from_zero=from_zero).svg())
    places = [(float(one.attrib["x"]), float(one.attrib["y"])) for one in root.iter("use")]
    assert all(0 < x < WIDTH and 0 < y < HEIGHT - 15 for x, y in places)
    assert len(list(root.iter("title"))) == len(points)


@pytest.mark.parametrize("last", [1, 2, 12, 50, 300, 12345])
@pytest.mark.parametrize("scale", [1e-5, 0.01, 90.0, 123456.0])
def test_tick_labels_do_not_overlap_at_the_size_of_the_page(drawn, last, scale):
    every = max(1, last // 60)
    points = [(float(x), scale * (1 + 0.1 / x)) for x in range(1, last + 1, every)]
    LineChart("t", [Series("a", 0, points)], "epoch").svg()
    (figure,) = drawn
    figure.set_dpi(72)
    figure.canvas.draw()
    (axes,) = figure.axes
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        boxes = [label.get_window_extent() for label in labels if label.get_text()]
        boxes = [box for box in boxes if figure.bbox.contains(*box.min) and figure.bbox.contains(*box.max)]
        assert boxes
        for n, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[n + 1 :])
