"""Every plot: a PNG file that shows the data it was given, from edge cases too."""

import math
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from snnlab.plots.curves import plot_curves
from snnlab.plots.firing_rates import plot_firing_rates
from snnlab.plots.frames import plot_frames
from snnlab.plots.loss_trends import plot_loss_trends
from snnlab.plots.over_time import plot_over_time
from snnlab.plots.raster import plot_raster
from snnlab.plots.reliability import SETTLES, inline_reliability, plot_reliability
from snnlab.plots.time_scale import plot_time_scale
from snnlab.plots.time_steps import plot_time_steps
from tests.plots.svg import titles


def is_picture(path) -> bool:
    pixels = np.asarray(Image.open(path).convert("L"))
    return path.read_bytes().startswith(b"\x89PNG") and min(pixels.shape) > 150 and pixels.std() > 5


def line(axes, label):
    (found,) = [item for item in axes.lines if str(item.get_label()).startswith(label)]
    return [float(x) for x in found.get_xdata()], [float(y) for y in found.get_ydata()]


def test_drawing_leaves_no_global_state(tmp_path):
    code = f"""
import sys
from pathlib import Path
import snnlab.plots.curves, snnlab.plots.over_time, snnlab.plots.reliability
import snnlab.plots.frames, snnlab.plots.raster, snnlab.plots.firing_rates
assert not [name for name in sys.modules if name.split(".")[0] in ("matplotlib", "torch")]
import matplotlib
before = matplotlib.rcParams.copy()
snnlab.plots.firing_rates.plot_firing_rates({{"a": [0.1]}}, Path({str(tmp_path / "new" / "a.png")!r}))
assert "matplotlib.pyplot" not in sys.modules
keys = [key for key in before if key != "backend"]
assert [before[key] for key in keys] == [matplotlib.rcParams[key] for key in keys]
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert is_picture(tmp_path / "new" / "a.png")


def test_same_data_gives_the_same_bytes(tmp_path):
    import matplotlib

    first = plot_firing_rates({"a": [0.1, 0.3]}, tmp_path / "1.png")
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.facecolor": "red"}):
        second = plot_firing_rates({"a": [0.1, 0.3]}, tmp_path / "2.png")
    assert first.read_bytes() == second.read_bytes()


def test_no_file_when_drawing_fails(tmp_path):
    with pytest.raises(KeyError):
        plot_reliability({"count": [[1.0]]}, tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


class TestCurves:
    def test_shows_losses_and_percentages(self, tmp_path, drawn):
        rows = []
        for epoch in range(1, 5):
            rows.append({"epoch": epoch, "split": "train", "train/loss": 1 / epoch, "train/acc": epoch / 10})
            if epoch % 2 == 0:
                rows.append({"epoch": epoch, "split": "test", "test/loss": 2 / epoch, "test/acc": epoch / 20})
        path = plot_curves(rows, tmp_path / "curves.png", title="a run")
        assert is_picture(path)
        loss, accuracy = drawn[0].axes
        assert line(loss, "train") == ([1, 2, 3, 4], [1, 1 / 2, 1 / 3, 1 / 4])
        assert line(loss, "test") == ([2, 4], [1, 0.5])
        assert line(accuracy, "train") == ([1, 2, 3, 4], pytest.approx([10, 20, 30, 40]))
        assert line(accuracy, "test: last 20.0 %, best 20.0 %") == ([2, 4], pytest.approx([10, 20]))
        assert drawn[0].get_suptitle() == "a run"
        assert loss.get_yscale() == "linear"

    def test_wide_range_of_losses_is_logarithmic(self, tmp_path, drawn):
        plot_curves([{"epoch": 1, "train/loss": 9.0}, {"epoch": 2, "train/loss": 0.01}], tmp_path / "a.png")
        assert drawn[0].axes[0].get_yscale() == "log"

    @pytest.mark.parametrize(
        "rows",
        [
            [],
            [{"epoch": 1, "train/loss": None, "train/acc": None}],
            [{"epoch": 1, "train/loss": 0.0, "test/acc": 1.0}],
            [{"epoch": 1, "train/loss": -1.0}, {"epoch": 2, "train/loss": 99.0}],
        ],
        ids=["nothing", "null", "one epoch", "negative loss"],
    )
    def test_edge_cases(self, rows, tmp_path):
        assert is_picture(plot_curves(rows, tmp_path / "a.png"))


class TestOverTime:
    def test_shows_both_views(self, tmp_path, drawn):
        metrics = {"test/acc": 0.9, "test/ece_step/t2": None}
        for step in (1, 2, 10):
            metrics |= {f"test/acc_step/t{step}": step / 20, f"test/acc_cum/t{step}": step / 10}
            metrics |= {f"test/cece_cum/t{step}": 0.1 / step}
        assert is_picture(plot_over_time(metrics, tmp_path / "a.png"))
        accuracy, ece, _, cece = drawn[0].axes
        assert line(accuracy, "single step") == ([1, 2, 10], pytest.approx([5, 10, 50]))
        assert line(accuracy, "cumulative mean") == ([1, 2, 10], pytest.approx([10, 20, 100]))
        assert line(cece, "cumulative mean") == ([1, 2, 10], pytest.approx([0.1, 0.05, 0.01]))
        assert len(ece.lines) == 0
        assert cece.get_ylim()[0] == 0

    @pytest.mark.parametrize("metrics", [{}, {"test/acc_cum/t1": 0.5, "test/ece_cum/t1": math.nan}])
    def test_edge_cases(self, metrics, tmp_path):
        assert is_picture(plot_over_time(metrics, tmp_path / "a.png"))


class TestReliability:
    def bins(self, num_steps: int = 6) -> dict:
        one = {"count": [0, 30, 10], "confidence": [math.nan, 0.5, 0.9], "accuracy": [None, 0.7, 0.6]}
        return {key: [values] * num_steps for key, values in one.items()}

    def test_shows_gaps_and_the_error(self, tmp_path, drawn):
        assert is_picture(plot_reliability(self.bins(), tmp_path / "a.png", steps=[6]))
        diagram, counts = drawn[0].axes
        heights = {group.get_label(): [bar.get_height() for bar in group] for group in diagram.containers}
        assert heights["accuracy"] == pytest.approx([0.5, 0.6])
        assert heights["too sure"] == pytest.approx([0.0, 0.3])
        assert heights["not sure enough"] == pytest.approx([0.2, 0.0])
        assert [bar.get_x() + bar.get_width() / 2 for bar in diagram.containers[0]] == pytest.approx(
            [0.5, 5 / 6]
        )
        assert [bar.get_height() for bar in counts.containers[0]] == pytest.approx([0, 75, 25])
        assert diagram.get_title(loc="left") == f"t = 6, ECE {0.75 * 0.2 + 0.25 * 0.3:.4f}"

    @pytest.mark.parametrize(
        ("num_steps", "expected"), [(1, [1]), (2, [1, 2]), (4, [1, 2, 4]), (10, [1, 5, 10])]
    )
    def test_default_steps(self, num_steps, expected, tmp_path, drawn):
        plot_reliability(self.bins(num_steps), tmp_path / "a.png")
        titles = [axes.get_title(loc="left") for axes in drawn[0].axes if axes.get_title(loc="left")]
        assert titles == [f"t = {step}, ECE 0.2250" for step in expected]

    def test_no_sample(self, tmp_path):
        empty = {key: [[0, 0]] for key in ("count", "confidence", "accuracy")}
        assert is_picture(plot_reliability(empty, tmp_path / "a.png"))

    def test_where_training_settles_is_a_line_with_its_name(self, tmp_path, drawn):
        plot_reliability(self.bins(), tmp_path / "a.png", settles=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
        panels = [axes for axes in drawn[0].axes if axes.get_title(loc="left")]
        assert [line(axes, SETTLES)[0] for axes in panels] == [[0.1, 0.1], [0.3, 0.3], [0.6, 0.6]]
        assert SETTLES in [text.get_text() for text in drawn[0].legends[0].get_texts()]
        plot_reliability(self.bins(), tmp_path / "b.png")
        assert SETTLES not in [text.get_text() for text in drawn[1].legends[0].get_texts()]

    def test_of_a_page_says_where_training_settles(self):
        svg, error = inline_reliability(self.bins(), 2, 0.625)
        assert error == inline_reliability(self.bins(), 2)[1]
        assert f"{SETTLES}: 0.625" in titles(svg)

    @pytest.mark.parametrize("steps", [[0], [7]])
    def test_unknown_step(self, steps, tmp_path):
        with pytest.raises(ValueError, match=r"1\.\.6"):
            plot_reliability(self.bins(), tmp_path / "a.png", steps=steps)

    def test_of_a_page_says_its_bins_and_its_error(self):
        svg, error = inline_reliability(self.bins(), 2)
        assert error == pytest.approx(0.75 * 0.2 + 0.25 * 0.3)
        assert set(titles(svg)) == {
            "30 samples, confidence 0.500, accuracy 0.700",
            "10 samples, confidence 0.900, accuracy 0.600",
        }
        empty = {key: [[0, 0]] for key in ("count", "confidence", "accuracy")}
        assert inline_reliability(empty, 1)[1] == 0


class TestFrames:
    def test_events_keep_their_place_and_colour(self, tmp_path, drawn):
        frames = np.zeros((10, 2, 5, 4))
        frames[0, 0, 1, 2] = frames[0, 1, 4, 3] = frames[3, :, 0, 0] = 2
        names = ["cat", *["dog"] * 9]
        assert is_picture(
            plot_frames(frames, tmp_path / "a.png", label="dog", predictions=names, title="run")
        )
        panels = drawn[0].axes
        assert len(panels) == 10
        first = np.asarray(panels[0].images[0].get_array())
        off, on = first[1, 2], first[4, 3]
        assert off[2] > off[0]
        assert on[0] > on[2]
        assert (first == 1).all(-1).sum() == 18
        assert np.asarray(panels[3].images[0].get_array())[0, 0].max() < 0.2
        assert [axes.get_xlabel() for axes in panels] == names
        assert panels[0].xaxis.label.get_color() != panels[1].xaxis.label.get_color()
        assert drawn[0].get_suptitle() == "run, true class: dog"

    @pytest.mark.parametrize("scale", [1.0, 255.0])
    @pytest.mark.parametrize("channels", [1, 3])
    def test_static_image(self, channels, scale, tmp_path, drawn):
        image = np.random.default_rng(0).random((1, channels, 6, 5)) * 0.9
        image[0, :, 0, 0] = 1.0
        plot_frames(image * scale, tmp_path / "a.png", label="5", predictions=["3", "5"])
        (panel,) = drawn[0].axes
        shown = np.asarray(panel.images[0].get_array())
        np.testing.assert_allclose(shown, np.repeat(image[0], 3 // channels, 0).transpose(1, 2, 0), atol=1e-9)
        assert panel.get_xlabel() == "5"

    @pytest.mark.parametrize("num_steps", [1, 4, 8, 11, 16])
    def test_every_number_of_steps(self, num_steps, tmp_path, drawn):
        assert is_picture(
            plot_frames(
                np.eye(8)[None, None].repeat(2, 1).repeat(num_steps, 0), tmp_path / "a.png", label="x"
            )
        )
        assert sum(bool(axes.images) for axes in drawn[0].axes) == num_steps

    def test_many_steps_are_added_up_in_few_panels(self, tmp_path, drawn):
        frames = np.zeros((50, 2, 3, 3))
        frames[1, 0, 0, 0] = frames[2, 1, 0, 0] = frames[49, 1, 2, 2] = 1
        names = [f"{step}" for step in range(1, 51)]
        assert is_picture(plot_frames(frames, tmp_path / "a.png", label="3", predictions=names))
        panels = [axes for axes in drawn[0].axes if axes.images]
        assert len(panels) == 17
        assert [axes.get_title("left") for axes in (panels[0], panels[-1])] == ["t = 1-3", "t = 49-50"]
        assert [axes.get_xlabel() for axes in (panels[0], panels[-1])] == ["3", "50"]
        assert np.asarray(panels[0].images[0].get_array())[0, 0].max() < 0.2
        assert np.asarray(panels[-1].images[0].get_array())[2, 2].min() < 0.2

    def test_no_event_at_all(self, tmp_path):
        plot_frames(np.zeros((2, 2, 4, 4)), tmp_path / "a.png", label="x")

    @pytest.mark.parametrize("shape", [(2, 4, 4), (2, 4, 4, 4)])
    def test_other_shapes_are_refused(self, shape, tmp_path):
        with pytest.raises(ValueError, match="frames must be"):
            plot_frames(np.zeros(shape), tmp_path / "a.png", label="x")


class TestRaster:
    def shown(self, axes) -> np.ndarray:
        mesh = axes.collections[0].get_array()
        return np.asarray(mesh)

    def test_sorted_by_count_then_by_first_spike(self, tmp_path, drawn):
        spikes = np.array([[0, 0, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 1]]).T
        path = plot_raster({"layer": spikes.reshape(4, 5, 1)}, tmp_path / "a.png")
        assert is_picture(path)
        (axes,) = drawn[0].axes
        expected = [[1, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
        assert self.shown(axes).tolist() == [[value + 1 for value in row] for row in expected]
        assert axes.get_ylabel() == "4 of 4 active neurons"
        assert axes.texts[0].get_text() == "80 % of 5 neurons fire\nrate 0.350 per step"
        assert axes.yaxis_inverted()

    def test_large_layers_are_thinned_from_most_to_least_active(self, tmp_path, drawn):
        spikes = np.zeros((8, 1000))
        for neuron in range(900):
            spikes[: 1 + neuron % 8, neuron] = 1
        plot_raster({"a": spikes}, tmp_path / "a.png", max_neurons=24)
        shown = self.shown(drawn[0].axes[0]) == 2
        assert shown.shape == (24, 8)
        counts = shown.sum(1)
        assert counts.tolist() == sorted(counts, reverse=True)
        assert np.bincount(counts, minlength=9)[1:].tolist() == pytest.approx([3] * 8, abs=1)
        assert drawn[0].axes[0].get_ylabel() == "24 of 900 active neurons"

    def test_signed_and_large_spikes_have_their_own_colours(self, tmp_path, drawn):
        plot_raster({"a": np.array([[-1.0], [0.0], [1.0], [2.0], [0.5]])}, tmp_path / "a.png")
        assert self.shown(drawn[0].axes[0]).tolist() == [[0, 1, 2, 3, 2]]
        assert len(drawn[0].legends) == 1
        plot_raster({"a": np.array([[0.0], [1.0]])}, tmp_path / "b.png")
        assert len(drawn[1].legends) == 0

    def test_a_few_layers_stand_for_many(self, tmp_path, drawn):
        plot_raster({f"l{index}": np.ones((3, 4)) for index in range(10)}, tmp_path / "a.png")
        assert [axes.get_title(loc="left") for axes in drawn[0].axes] == ["l0", "l3", "l6", "l9"]

    def test_silent_layer(self, tmp_path, drawn):
        assert is_picture(plot_raster({"a": np.zeros((3, 4))}, tmp_path / "a.png"))
        assert drawn[0].axes[0].get_ylabel() == "no neuron is active"

    def test_no_layer(self, tmp_path):
        with pytest.raises(ValueError, match="no layer"):
            plot_raster({}, tmp_path / "a.png")


class TestLossTrends:
    ROWS = (
        {"epoch": 1, "split": "train", "train/loss": 9.0},
        {
            "epoch": 1,
            "split": "test",
            "test/nll_cum/t1": 3.0,
            "test/nll_cum/t2": 2.5,
            "test/nll_step/t2": 9.0,
        },
        {"epoch": 2, "split": "test", "test/nll_cum/t1": 2.0, "test/nll_cum/t2": None},
        {"epoch": 4, "split": "test", "test/nll_cum/t1": 1.0, "test/nll_cum/t2": 0.5},
    )

    def test_a_line_for_every_ensemble_and_its_numbers(self, tmp_path, drawn):
        assert is_picture(plot_loss_trends(self.ROWS, tmp_path / "a.png"))
        (axes,) = drawn[0].axes
        assert line(axes, "t = 1 to 2") == ([1, 4], [2.5, 0.5])
        first = axes.lines[0]
        assert (list(first.get_xdata()), list(first.get_ydata())) == ([1, 2, 4], [3, 2, 1])
        assert (tmp_path / "a.csv").read_text() == "epoch,t1,t2\n1,3.0,2.5\n2,2.0,\n4,1.0,0.5\n"

    def test_many_steps_and_none(self, tmp_path, drawn):
        many = [{"epoch": 1, **{f"test/nll_cum/t{t}": 1.0 / t for t in range(1, 41)}}]
        plot_loss_trends(many, tmp_path / "a.png")
        assert len(drawn[0].axes[0].lines) == 40
        assert len(drawn[0].legends[0].texts) <= 11
        plot_loss_trends([{"epoch": 1, "train/loss": 1.0}], tmp_path / "b.png")
        assert (tmp_path / "b.csv").read_text() == "epoch\n"


class TestFiringRates:
    def test_rows_are_layers_in_order(self, tmp_path, drawn):
        rates = {"conv2": [0.1, 0.2, 0.3], "conv1": [0.4, 0.5, math.nan]}
        assert is_picture(plot_firing_rates(rates, tmp_path / "a.png"))
        axes = drawn[0].axes[0]
        np.testing.assert_allclose(np.asarray(axes.images[0].get_array()), list(rates.values()))
        assert [label.get_text() for label in axes.get_yticklabels()] == ["conv2", "conv1"]
        assert [text.get_text() for text in axes.texts][:4] == ["0.10", "0.20", "0.30", "0.40"]
        written = [line.split(",") for line in (tmp_path / "a.csv").read_text().splitlines()]
        assert written[0] == ["layer", "t1", "t2", "t3", "mean", "place"]
        assert written[1][:4] == ["conv2", "0.1", "0.2", "0.3"]
        assert float(written[1][4]) == pytest.approx(0.2)

    def test_many_steps_have_no_numbers(self, tmp_path, drawn):
        assert is_picture(plot_firing_rates({"a": [0.0] * 50}, tmp_path / "a.png"))
        assert len(drawn[0].axes[0].texts) == 0

    @pytest.mark.parametrize("rates", [{}, {"a": [0.1], "b": [0.1, 0.2]}])
    def test_uneven_rates_are_refused(self, rates, tmp_path):
        with pytest.raises(ValueError, match="same number of time steps"):
            plot_firing_rates(rates, tmp_path / "a.png")


def test_time_steps_has_a_bar_for_each_layer_and_its_bits(tmp_path, drawn):
    plot_time_steps({"stem": 8, "block": 3, "last": 1}, tmp_path / "t.png", title="run")
    axes = drawn[0].axes[0]
    assert [bar.get_height() for bar in axes.patches] == [8, 3, 1]
    assert {text.get_text() for text in axes.texts} == {"3.0", "1.6", "0.0", " mean 4.00"}
    with pytest.raises(ValueError, match="a layer"):
        plot_time_steps({}, tmp_path / "t.png")


def test_time_scale_draws_a_line_for_each_network(tmp_path, drawn):
    networks = {"a": [(2.5, 0.8), (5, 0.85)], "b": [(3, 0.7), (6, 0.7)]}
    plot_time_scale(networks, tmp_path / "t.png", ann={"a": 0.84})
    axes = drawn[0].axes[0]
    assert [list(line.get_ydata()) for line in axes.lines if line.get_marker() == "o"] == [[80, 85], [70, 70]]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["2.5", "3", "5", "6"]
