"""Words as constant currents: BERT's embedding in front of a network.

Shapes: T time steps, B samples, L words, D numbers of a word.
"""

import torch
from torch import Tensor, nn

_EPS = 1e-12
_STD = 0.02


class WordCurrents(nn.Module):
    """LayerNorm(word + position + segment), as in BERT: the same current at each time step, and none for padding.

    The words up to the first separator are of the first segment, later ones of the second. Given vectors are fixed;
    learned weights start as in BERT, from a normal distribution of standard deviation 0.02.

    Args:
        count: number of words, including padding (0).
        dim: D.
        length: L.
        vectors: fixed vectors [count, D]; `None`: they are learned.
        separator: the word between two sentences; `None`: there is one sentence.
    """

    def __init__(
        self, count: int, dim: int, length: int, vectors: Tensor | None = None, separator: int | None = None
    ) -> None:
        super().__init__()
        self.weight: Tensor
        if vectors is None:
            self.weight = nn.Parameter(torch.randn(count, dim) * _STD)
        else:
            self.register_buffer("weight", vectors)
        self.position = nn.Parameter(torch.randn(length, dim) * _STD)
        self.segment = None if separator is None else nn.Parameter(torch.randn(2, dim) * _STD)
        self.norm = nn.LayerNorm(dim, eps=_EPS)
        self.separator = -1 if separator is None else separator

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns currents [T, B, 1, L, D] for words [T, B, 1, L, 1], which are equal at every step."""
        words_BL = x_TBCHW[0].flatten(1).long()
        z_BLD = nn.functional.embedding(words_BL, self.weight) + self.position
        if self.segment is not None:
            mark_BL = words_BL.eq(self.separator).long()
            later_BL = (mark_BL.cumsum(1) - mark_BL).clamp(max=1)
            z_BLD = z_BLD + nn.functional.embedding(later_BL, self.segment)
        current_BLD: Tensor = self.norm(z_BLD) * (words_BL != 0).unsqueeze(-1)
        return current_BLD[None, :, None].expand(len(x_TBCHW), -1, -1, -1, -1)
