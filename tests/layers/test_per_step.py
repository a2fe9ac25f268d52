"""What layers say about themselves in attributes, also layers that know no base class of this package."""

import pytest
from torch import nn

from snnlab.augments.autoaugment import AutoAugment
from snnlab.augments.base import mirrors_images, runs_in_loader
from snnlab.augments.flip import Flip
from snnlab.layers.own_time import has_own_time
from snnlab.layers.per_step import is_per_step
from snnlab.metrics.time_steps import time_steps
from snnlab.neurons.mixed_if import MixedIF
from snnlab.norms.tebn import TEBN


class Foreign(nn.Module):
    own_time = True
    per_step = True
    in_loader = True
    time_steps = 3


class Silent(nn.Module):
    pass


@pytest.mark.parametrize(
    ("says", "true", "false"),
    [
        (is_per_step, [TEBN(2, 3), Foreign()], [MixedIF(), Silent(), nn.ReLU()]),
        (has_own_time, [MixedIF(), Foreign()], [TEBN(2, 3), Silent()]),
        (mirrors_images, [Flip, Flip()], [AutoAugment, Silent()]),
        (runs_in_loader, [AutoAugment, AutoAugment(), Foreign()], [Flip, Flip(), Silent()]),
    ],
)
def test_an_attribute_says_it_and_none_means_no(says, true, false):
    assert all(says(one) for one in true)
    assert not any(says(one) for one in false)


def test_time_steps_of_layers_that_have_some():
    assert time_steps(nn.Sequential(Foreign(), MixedIF(), nn.ReLU())) == {"0": 3}
