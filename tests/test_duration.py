"""Durations as text."""

import pytest

from snnlab.duration import duration


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.04, "0.0 s"),
        (7.44, "7.4 s"),
        (9.99, "10 s"),
        (59.7, "1:00"),
        (83, "1:23"),
        (3599.6, "1:00:00"),
        (3723, "1:02:03"),
    ],
)
def test_duration(seconds, shown):
    assert duration(seconds) == shown


def test_duration_of_days():
    assert duration(100_000) == "1 d 3:46:40"
