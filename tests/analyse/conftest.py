"""Pictures of analyses are small in tests: drawing takes much of the time."""

import pytest

from snnlab.plots import figure
from tests.plots.conftest import drawn

__all__ = ["drawn"]


@pytest.fixture(autouse=True)
def _small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(figure.STYLE, "savefig.dpi", 60)
