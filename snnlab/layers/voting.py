"""Spiking voters behind a classifier.

Shape suffixes: T time steps, B samples, K classes, V voters of a class.
"""

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory


class Voting(nn.Module):
    """The votes for each class of spiking neurons behind a network's last linear layer: [T, B, K].

    M s_t, M the 0/1 matrix that connects each voter with its class (circulate-firing paper, Eq. 24, whose mean over
    time is the loss's). The paper gives neither the number of voters nor M; its parameter counts are those of a
    linear layer alone, which is why there are no voters by default. Votes are added up, not averaged: a
    cross entropy of averages of spikes could never come near 0.

    Args:
        network: gives K V numbers on each step, those of a class side by side.
        neuron: makes the voters.
        voters: V.
    """

    def __init__(self, network: nn.Module, neuron: NeuronFactory, voters: int) -> None:
        super().__init__()
        self.network = network
        self.neuron = neuron()
        self.voters = voters

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        votes_TBKV: Tensor = self.neuron(self.network(x_TBCHW)).unflatten(-1, (-1, self.voters))
        return votes_TBKV.sum(-1)
