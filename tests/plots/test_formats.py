"""Pictures in further formats, and tooltips in SVG that PDF does not make links."""

import numpy as np
import pytest

from snnlab.plots.curves import plot_curves
from snnlab.plots.figure import MICRO, also_as, files_of
from snnlab.plots.firing_rates import plot_firing_rates
from snnlab.plots.frames import plot_frames

RATES = {"features.2": [0.1, 0.25], "head.1": [0.5, 0.0]}


@pytest.fixture
def all_formats():
    also_as(("svg", "pdf"))
    yield
    also_as(())


def test_beside_the_png(tmp_path, all_formats):
    plot_firing_rates(RATES, tmp_path / "rates.png")
    assert {file.suffix for file in tmp_path.iterdir()} == {".png", ".svg", ".pdf", ".csv"}
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "rates.pdf").read_bytes().startswith(b"%PDF")
    svg = (tmp_path / "rates.svg").read_text()
    assert "<title>conv 1, t = 2: 0.2500</title>" in svg
    assert "tip:" not in svg
    assert "<a " not in svg
    assert b"tip:" not in (tmp_path / "rates.pdf").read_bytes()


def test_no_picture_links_anything_in_pdf(tmp_path, all_formats):
    """PDF would make links of what SVG says: of images, of points and of cells."""
    plot_frames(np.ones((2, 2, 4, 4)), tmp_path / "frames.png", label="x")
    plot_curves([{"epoch": 1, "test/acc": 0.5}], tmp_path / "curves.png")
    for file in tmp_path.iterdir():
        assert b"tip:" not in file.read_bytes()
        assert (b"<title>" in file.read_bytes()) == (file.suffix == ".svg")


def test_png_alone_unless_asked(tmp_path):
    plot_firing_rates(RATES, tmp_path / "rates.png")
    assert not list(tmp_path.glob("*.[sp][vd][gf]"))
    assert MICRO == "\u00b5"


@pytest.mark.parametrize(
    ("formats", "said"),
    [
        ((), ".png and .csv"),
        (("svg",), ".png, .svg and .csv"),
        (("pdf", "png", "svg"), ".png, .svg, .pdf and .csv"),
    ],
)
def test_what_is_said_to_be_written_is_what_is_written(tmp_path, formats, said):
    also_as(formats)
    try:
        picture = plot_firing_rates(RATES, tmp_path / "rates.png")
        assert files_of(picture) == f"{tmp_path}/rates{said}"
        assert {file.suffix for file in tmp_path.iterdir()} == set(said.replace(" and", ",").split(", "))
        assert files_of(plot_curves([{"epoch": 1, "test/acc": 0.5}], tmp_path / "curves.png")).count(
            "."
        ) == max(1, len({"png", *formats}))
    finally:
        also_as(())
