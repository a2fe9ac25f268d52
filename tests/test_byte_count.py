"""Sizes as text."""

import pytest

from snnlab.byte_count import byte_count


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (4321, "4.3 kB"),
        (25_300_000, "25 MB"),
        (999_600, "1.0 MB"),
        (3e15, "3000 TB"),
    ],
)
def test_three_digits_and_a_unit(count, text):
    assert byte_count(count) == text
