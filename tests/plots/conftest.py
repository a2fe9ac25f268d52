"""Keeps the matplotlib figure behind each PNG, so that tests can read what was drawn."""

import pytest

from snnlab.plots import figure


@pytest.fixture
def drawn(monkeypatch):
    from matplotlib.figure import Figure

    figures = []
    original = Figure.savefig

    def keep(figure, *args, **kwargs):
        figures.append(figure)
        return original(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", keep)
    return figures


@pytest.fixture(autouse=True)
def _small_pictures(monkeypatch):
    """Half the resolution: drawing takes most of the time of these tests."""
    monkeypatch.setitem(figure.STYLE, "savefig.dpi", 75)
