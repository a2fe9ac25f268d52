"""Structural similarity against its definition, window by window."""

import math

import numpy as np
import pytest
import torch

from snnlab.metrics.similarity import structural_similarity


def by_windows(x, y, size):
    """The definition in loops, with weighted moments about the window's own means."""
    weights = np.array(
        [
            [
                math.exp(-((i - (size - 1) / 2) ** 2 + (j - (size - 1) / 2) ** 2) / (2 * 1.5**2))
                for j in range(size)
            ]
            for i in range(size)
        ]
    )
    weights /= weights.sum()
    found = []
    for top in range(x.shape[0] - size + 1):
        for left in range(x.shape[1] - size + 1):
            a, b = (one[top : top + size, left : left + size] for one in (x, y))
            ma, mb = (weights * a).sum(), (weights * b).sum()
            va, vb = (weights * (a - ma) ** 2).sum(), (weights * (b - mb) ** 2).sum()
            cov = (weights * (a - ma) * (b - mb)).sum()
            found.append(
                (2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4))
            )
    return np.mean(found)


@pytest.mark.parametrize(("shape", "size"), [((16, 14), 11), ((5, 7), 5)])
def test_as_defined(shape, size):
    generator = np.random.default_rng(0)
    one = generator.random((2, *shape))
    other = np.clip(one + 0.4 * generator.random((2, *shape)), 0, 1)
    found = structural_similarity(torch.from_numpy(one), torch.from_numpy(other))
    assert found.tolist() == pytest.approx([by_windows(x, y, size) for x, y in zip(one, other, strict=True)])


def test_a_picture_is_like_itself_and_unlike_its_negative():
    picture = torch.rand(2, 12, 12, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(structural_similarity(picture, picture), torch.ones(2))
    assert (structural_similarity(picture, 1 - picture) < 0).all()
    with pytest.raises(ValueError, match="two of"):
        structural_similarity(picture, picture[:1])
