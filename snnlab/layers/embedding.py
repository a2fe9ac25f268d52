"""Spike coding of words: an embedding whose values are spike probabilities, in front of a network.

Shapes: T time steps, B samples, L words, D numbers of a word, K classes.
"""

from typing import Any

import torch
from torch import Tensor, nn

from snnlab.neurons.base import Neuron

_LOW_32 = 0xFFFFFFFF


class WordSpikes(Neuron):
    """Bernoulli coding of word vectors: each of a word's D values is the spike probability at every time step.

    p = (clip(z, -3, 3) + 3) / 6,    s_t = 1 with probability p, else 0

    for z standardised (Lv et al. 2023, whose text coding the circulate-firing paper takes over). Padding, word 0,
    never fires. Given vectors are fixed. Learned vectors are z = sqrt(D) times a weight of initial variance 1 / D, as
    in transformers (z itself would hardly change at usual learning rates), clipped and mapped in the same way; the
    gradient through the sampling is straight-through: ds_t/dp = 1.

    In training the samples depend on torch's generator. In evaluation they depend on the sentence and the time step
    only: not on the batch, the order, the device, or whether steps run one at a time.

    It is a `Neuron`, so that a network can be run and recorded step by step; its state is the number of the step [B].

    Args:
        count: number of words, including padding (0).
        dim: D.
        vectors: fixed vectors [count, D], standardised; `None`: they are learned.
    """

    def __init__(self, count: int, dim: int, vectors: Tensor | None = None) -> None:
        super().__init__()
        self.weight: Tensor
        self.count, self.dim = count, dim
        if vectors is None:
            self.weight = nn.Parameter(torch.randn(count, dim) * dim**-0.5)
            self.scale = dim**0.5
        else:
            self.register_buffer("weight", vectors)
            self.scale = 1.0

    def rates(self, words: Tensor) -> Tensor:
        """Returns the spike probabilities [..., D] of words [...]."""
        z = nn.functional.embedding(words, self.weight)
        p: Tensor = ((self.scale * z).clamp(-3, 3) + 3) / 6
        return p * (words != 0).unsqueeze(-1)

    def forward_with_state(self, x_T: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Returns spikes [T, B, 1, L, D] for words [T, B, 1, L, 1], which are equal at every step."""
        step_B = self.initial_state(x_T[0]) if state is None else state
        words_BL = x_T[0].flatten(1).long()
        keys_B = _random_keys(words_BL) if self.training else _keys(words_BL)
        spikes_TBLD = _Draw.apply(self.rates(words_BL), keys_B, step_B, len(x_T))
        return spikes_TBLD.unsqueeze(2), step_B + len(x_T)

    def initial_state(self, x: Tensor) -> Tensor:
        return torch.zeros(len(x), device=x.device)

    def extra_repr(self) -> str:
        return f"{self.count} words, {self.dim}, {'learned' if 'weight' in self._parameters else 'fixed'}"


class Embedded(nn.Module):
    """A network on words: an embedding followed by a network on spikes.

    Args:
        embedding: words [T, B, 1, L, 1] to spikes or currents [T, B, 1, L, D].
        network: from those to logits [T, B, K].
    """

    def __init__(self, embedding: nn.Module, network: nn.Module) -> None:
        super().__init__()
        self.embedding = embedding
        self.network = network

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        logits_TBK: Tensor = self.network(self.embedding(x_TBCHW))
        return logits_TBK


class _Draw(torch.autograd.Function):
    """Samples spikes [T, B, L, D] with probabilities p_BLD; the gradient of p is the sum over time."""

    @staticmethod
    def forward(ctx: Any, p_BLD: Tensor, keys_B: Tensor, step_B: Tensor, num_steps: int) -> Tensor:
        spikes_TBLD = p_BLD.new_empty(num_steps, *p_BLD.shape)
        for t in range(num_steps):
            uniform = _uniform(_mixed(keys_B + (step_B.long() + t) * 0x9E3779B9), p_BLD[0].numel())
            torch.lt(uniform.view_as(p_BLD), p_BLD, out=spikes_TBLD[t])
        return spikes_TBLD

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        return grad_outputs[0].sum(0), None, None, None


def _random_keys(words_BL: Tensor) -> Tensor:
    """Returns a number below 2^32 for each sentence, from torch's generator of the words' device."""
    return torch.randint(_LOW_32, (len(words_BL),), device=words_BL.device)


def _keys(words_BL: Tensor) -> Tensor:
    """Returns a number below 2^32 for each sentence that depends on its words and their order."""
    keys_B = torch.zeros_like(words_BL[:, 0])
    for word_B in words_BL.unbind(1):
        keys_B = _mixed(keys_B * 31 + word_B + 1)
    return keys_B


def _uniform(keys_B: Tensor, count: int) -> Tensor:
    """Returns uniform numbers in [0, 1] that depend on the key and their position, [B, count]."""
    places = torch.arange(count, device=keys_B.device) * 0x9E3779B9
    return _mixed(keys_B[:, None] + places).float() * 2.0**-32


def _mixed(number: Tensor) -> Tensor:
    """Hashes the lower 32 bits: a bijection in which each input bit flips each output bit with probability 1/2.

    Multiplication and shifts by the constants that Wellons found by search ("Hash function prospector", lowbias32).
    """
    z = number & _LOW_32
    z = z.bitwise_xor_(z >> 16).mul_(0x7FEB352D).bitwise_and_(_LOW_32)
    z = z.bitwise_xor_(z >> 15).mul_(0x846CA68B).bitwise_and_(_LOW_32)
    return z.bitwise_xor_(z >> 16)
