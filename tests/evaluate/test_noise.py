"""Noise on held-out samples: its distribution, and that it belongs to the sample alone."""

import pytest
import torch

from snnlab.data.inputs import InputPipeline
from snnlab.evaluate.noise import NoisyInput, noisy
from tests.train.toy import ToyData

KINDS = ("uniform", "salt_pepper", "gaussian")


def image(value=0.5, steps=1, size=64):
    return torch.full((steps, 3, size, size), value)


def drawn(kind, level, x, seed=0, top=1.0):
    return noisy(x, kind, level, torch.Generator().manual_seed(seed), top)


def test_uniform_and_gaussian_have_their_width():
    x = image(5.0)
    flat = drawn("uniform", 0.2, x, top=10.0) - x
    assert flat.abs().max() <= 2.0
    assert flat.std().item() == pytest.approx(2.0 / 3**0.5, rel=0.03)
    bell = drawn("gaussian", 0.1, x, top=10.0) - x
    assert bell.std().item() == pytest.approx(1.0, rel=0.03)
    assert bell.mean().item() == pytest.approx(0.0, abs=0.03)


def test_salt_and_pepper_hit_whole_pixels_half_each():
    x = drawn("salt_pepper", 0.3, image())
    assert (x == x[:, :1]).all()
    shares = [(x == value).float().mean().item() for value in (0.0, 1.0, 0.5)]
    assert shares == pytest.approx([0.15, 0.15, 0.7], abs=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_no_level_no_noise_and_a_higher_one_only_adds(kind):
    x = torch.rand(2, 3, 16, 16)
    assert torch.equal(drawn(kind, 0.0, x), x)
    near, far = (drawn(kind, level, x) - x for level in (0.1, 0.2))
    assert (far.abs() >= near.abs() - 1e-6).all()
    assert ((near == 0) | (near.sign() == far.sign())).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_range_is_kept(kind):
    x = drawn(kind, 1.0, 4 * torch.rand(2, 3, 16, 16), top=torch.tensor(4.0))
    assert x.min() == 0
    assert x.max() == 4


@pytest.mark.parametrize("kind", KINDS)
def test_the_noise_of_a_sample_does_not_depend_on_the_batch(kind):
    data = ToyData()
    clean = InputPipeline(data, [], 3, torch.device("cpu"), seed=7)

    def noise_of(size, seed=0):
        pipeline = NoisyInput(clean, kind, 0.3, seed)
        parts = [range(first, min(first + size, 24)) for first in range(0, 24, size)]
        return torch.cat([pipeline.test(data.test_set().batch(part)[0]) for part in parts], dim=1)

    whole = noise_of(24)
    assert torch.equal(whole, noise_of(5))
    assert not torch.equal(whole, noise_of(24, seed=1))
    assert not torch.equal(whole, clean.test(data.test_set().batch(range(24))[0]))
