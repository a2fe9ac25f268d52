"""An encoder layer of SpikingBERT: six layers of spiking neurons.

Shape suffixes: T time steps, B samples, L tokens, D numbers of a token.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from snnlab.layers.dropout import SharedDropout
from snnlab.layers.factory import NeuronFactory

_EPS = 1e-12


class SpikingBERTBlock(nn.Module):
    """Attention and MLP of BERT on spikes, with neurons behind key, value, attention, output, hidden and last layer.

    k = n(K s),  v = n(V s),  a = n(softmax((Q s) k^T / sqrt(d)) v),  o = n(LN(O a + s)),
    h = n(gelu(U o)),  s' = n(LN(W h + o))

    The softmax of a step sees the spikes of that step, as in the forward pass of the released code.

    Args:
        dim: D, a multiple of heads.
        heads: heads of the attention.
        hidden: width of the MLP.
        dropout: before both sums, one mask for all steps.
        neuron: makes a neuron.
    """

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float, neuron: NeuronFactory) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(dim, dim) for _ in range(4))
        self.up, self.down = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.output_norm, self.last_norm = nn.LayerNorm(dim, eps=_EPS), nn.LayerNorm(dim, eps=_EPS)
        self.key_neuron, self.value_neuron, self.attention_neuron = neuron(), neuron(), neuron()
        self.output_neuron, self.hidden_neuron, self.last_neuron = neuron(), neuron(), neuron()
        self.dropout = SharedDropout(dropout)

    def forward(self, s_TBLD: Tensor, mask_BL: Tensor) -> Tensor:
        """Returns spikes [T, B, L, D]; tokens outside of the mask are not attended to."""
        k_TBLD = self.key_neuron(self.key(s_TBLD))
        v_TBLD = self.value_neuron(self.value(s_TBLD))
        a_TBLD = self.attention_neuron(self._attend(self.query(s_TBLD), k_TBLD, v_TBLD, mask_BL))
        o_TBLD = self.output_neuron(self.output_norm(self.dropout(self.output(a_TBLD)) + s_TBLD))
        h_TBLH = self.hidden_neuron(F.gelu(self.up(o_TBLD)))
        last_TBLD: Tensor = self.last_neuron(self.last_norm(self.dropout(self.down(h_TBLH)) + o_TBLD))
        return last_TBLD

    def _attend(self, q_TBLD: Tensor, k_TBLD: Tensor, v_TBLD: Tensor, mask_BL: Tensor) -> Tensor:
        q, k, v = (x.reshape(*x.shape[:3], self.heads, -1).transpose(2, 3) for x in (q_TBLD, k_TBLD, v_TBLD))
        scores = q @ k.to(q.dtype).transpose(-1, -2) / q.shape[-1] ** 0.5
        weights = scores.masked_fill(~mask_BL[:, None, None], -torch.inf).softmax(-1)
        attended: Tensor = weights.to(q.dtype) @ v.to(q.dtype)
        return attended.transpose(2, 3).flatten(3)
