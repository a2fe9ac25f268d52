"""The picture of a table over time steps: which curves it draws, and what it refuses."""

import pytest
from PIL import Image

from snnlab.errors import ConfigError
from snnlab.tables import picture
from snnlab.tables.fill import fill
from snnlab.tables.plan import Planner
from snnlab.tables.table_file import Column

STEPS = """
title: Two losses over time
source: Nobody (2026), Table 4
columns:
  - {name: Acc, group: T=1, metric: test/acc_step/t1}
  - {name: ECE, group: T=1, metric: test/ece_step/t1, unit: fraction, better: lower}
  - {name: Acc, group: T=10, metric: test/acc_step/t10}
  - {name: ECE, group: T=10, metric: test/ece_step/t10, unit: fraction, better: lower}
  - {name: T, metric: config/num_steps, unit: plain}
rows:
  - {labels: [SDT], run: {experiment: quickstart, overrides: [loss=sdt]}, published: [50, 0.2, 60, null, 6]}
  - {labels: [TMC], run: {experiment: quickstart}, published: [51, 0.1, 61, 0.05, 6]}
  - {labels: [Other], cited: true, published: [52, 0.1, 62, 0.05, 6]}
"""

SMALL = """
title: One number
source: Nobody (2026), Table 5
columns:
  - {name: Acc, metric: test/acc}
rows:
  - {labels: [TMC], run: {experiment: quickstart}, published: [51]}
"""


@pytest.fixture
def filled(table, finished, tmp_path):
    def make(scale="full", seeds=2, text=STEPS):
        with Planner() as planner:
            planned = planner.plan("steps", table(text), scale, by_hand=[f"paths.runs={tmp_path}"])
        for run in planned.runs:
            if run.cfg.seed < seeds:
                value = 0.5 + 0.02 * run.cfg.seed
                names = ("acc_step/t1", "ece_step/t1", "acc_step/t10", "ece_step/t10")
                finished(run, **{f"test/{name}": value for name in names})
        return fill(planned)

    return make


@pytest.fixture
def drawn(monkeypatch):
    """What would be drawn."""
    found = {}
    monkeypatch.setattr(picture, "plot_table", lambda panels, path, **rest: found.update(panels))
    return found


def test_a_panel_for_each_quantity_and_a_curve_for_each_row_with_numbers(filled, drawn, tmp_path):
    picture.draw(filled(), tmp_path / "a.png")
    assert list(drawn) == ["Acc (%)", "ECE"]
    assert [curve.name for curve in drawn["Acc (%)"]] == ["SDT", "TMC"]
    accuracy, error = drawn["Acc (%)"][0], drawn["ECE"][0]
    assert accuracy.means == pytest.approx({1: 51.0, 10: 51.0})
    assert accuracy.stds == pytest.approx({1: 2**0.5, 10: 2**0.5})
    assert accuracy.published == {1: 50.0, 10: 60.0}
    assert error.published == {1: 0.2}


def test_a_quantity_that_was_not_measured_has_no_panel(filled, drawn, tmp_path):
    picture.draw(filled(text=STEPS.replace("test/ece_step", "test/brier_step")), tmp_path / "a.png")
    assert list(drawn) == ["Acc (%)"]


def test_published_values_of_other_data_are_left_out(filled, drawn, tmp_path):
    picture.draw(filled("short"), tmp_path / "a.png")
    assert all(curve.published == {} for curves in drawn.values() for curve in curves)


def test_it_is_a_picture(filled, tmp_path):
    path = picture.draw(filled(), tmp_path / "new/a.png")
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width > 2 * image.height


@pytest.mark.parametrize(
    ("column", "place"),
    [
        ({"name": "Acc", "group": "T=3"}, ("Acc (%)", "T", 3)),
        ({"name": "Acc. (%)", "group": "CS = 0.99"}, ("Acc. (%)", "CS", 0.99)),
        ({"name": "T avg.", "group": "CS = 0.7", "unit": "plain"}, ("T avg.", "CS", 0.7)),
        (
            {"name": "eps = 0.05", "group": "UN", "metric": "measured/rows/0/acc"},
            ("UN, accuracy (%)", "eps", 0.05),
        ),
        (
            {"name": "2", "group": "Inference", "metric": "measured/rows/2/acc"},
            ("Inference, accuracy (%)", "", 2),
        ),
        ({"name": "T=1", "metric": "test/cece_step/t1", "unit": "fraction"}, ("CECE", "T", 1)),
        ({"name": "t = 4", "metric": "test/firing_rate/t4", "unit": "fraction"}, ("firing rate", "t", 4)),
    ],
)
def test_a_heading_says_where_a_column_is(column, place):
    assert picture.place_of(Column(**column)) == picture.Place(*place)


@pytest.mark.parametrize(
    "column",
    [
        {"name": "Acc"},
        {"name": "mean", "group": "VGG-16"},
        {"name": "2 T"},
        {"name": "T=1", "metric": "config/num_steps"},
    ],
)
def test_other_headings_are_no_places(column):
    assert picture.place_of(Column(**column)) is None


@pytest.mark.parametrize("ending", ["pdf", "svg"])
def test_for_print(filled, tmp_path, ending):
    assert picture.draw(filled(), tmp_path / f"a.{ending}").stat().st_size > 1000


def test_what_cannot_be_drawn_says_so(filled, tmp_path):
    with pytest.raises(ConfigError, match="without numbers"):
        picture.draw(filled(seeds=0), tmp_path / "a.png")
    with pytest.raises(ConfigError, match="not time steps"):
        picture.draw(filled(text=SMALL), tmp_path / "a.png")
