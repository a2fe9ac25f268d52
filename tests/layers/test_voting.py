"""Votes against a sum over plain spikes, and voters behind any model."""

import torch
from torch import nn

from snnlab.layers.voting import Voting
from snnlab.neurons import CF


def test_votes_are_spikes_added_up_by_class():
    torch.manual_seed(0)
    linear, voters = nn.Linear(5, 6), CF()
    votes = Voting(linear, CF, 2)(x := 3 * torch.randn(4, 7, 5))
    spikes = voters(linear(x))
    expected = torch.stack([spikes[..., 0:2].sum(-1), spikes[..., 2:4].sum(-1), spikes[..., 4:6].sum(-1)], -1)
    assert votes.shape == (4, 7, 3)
    assert torch.equal(votes, expected)
    assert votes.abs().max() > 2
