"""Spiking output neurons that vote for the classes.

Shape suffixes: T time steps, B samples, K classes, V voters of a class.
"""

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory


class Voting(nn.Module):
    """Spiking neurons after a network's last linear layer, whose spikes are votes for a class: [T, B, K].

    M s_t, M the 0/1 matrix that connects each voter with its class (circulate-firing paper, Eq. 24, whose mean over
    time is taken by the loss). The paper gives neither the number of voters nor M; its parameter counts are those of
    a linear layer alone, so there are no voters by default. Votes are summed, not averaged: the cross entropy of
    averaged spikes could never come close to 0.

    Args:
        network: outputs K V numbers on each time step, those of a class next to each other.
        neuron: factory of the voters.
        voters: number of voters V of a class.
    """

    def __init__(self, network: nn.Module, neuron: NeuronFactory, voters: int) -> None:
        super().__init__()
        self.network = network
        self.neuron = neuron()
        self.voters = voters

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        votes_TBKV: Tensor = self.neuron(self.network(x_TBCHW)).unflatten(-1, (-1, self.voters))
        return votes_TBKV.sum(-1)
