"""Keeps the matplotlib figure behind each PNG, so that tests can read what was drawn."""

import pytest


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
