"""SpikingBERT, a text transformer whose layers are spiking neurons.

Shape suffixes: T time steps, B samples, C channels, H height (words), W width, L tokens, D numbers of a token,
K classes.
"""

import torch
from torch import Tensor, nn

from snnlab.layers.dropout import SharedDropout
from snnlab.layers.factory import NeuronFactory
from snnlab.layers.running_mean import RunningMean
from snnlab.layers.spiking_bert_block import SpikingBERTBlock
from snnlab.ranges import HalfOpenFraction, PositiveInt


class SpikingBERT(nn.Module):
    """SpikingBERT of Bal and Sengupta 2024: embedded words as constant current, `depth` encoder layers of six neurons.

    A neuron on the current, then the layers; a linear head on the average spiking rate of the first token, [CLS], in
    the last layer. The released network has 768 numbers of a word (`dataset.dim=768`) and IF neurons with soft reset
    (`neuron=if neuron.reset=soft`): 28,351,488 parameters in its encoder layers.

    Not as published, because the papers leave it open or the method has no counterpart here:

    - The released head reads the rate after all steps: one answer. Here it reads the average over the steps up to each
      one, so that the last answer is the released one and losses get one at every step. TMC does not say what it does.
    - Trained through time. The released code differentiates the equilibrium of the rates and never sees a step, which
      no loss over steps can use.
    - From random weights: no general distillation on Wikitext, no distillation from a fine-tuned BERT, and words of the
      training part in place of BERT's 30,522 word pieces, so that published accuracies are out of reach.
    - Dropout before the sums only, with one mask for all steps; the released code has it also in the attention.

    Args:
        neuron: factory of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes, frame_shape: of the data; a row of a frame is a word.
        depth: number of encoder layers.
        heads: heads of the attention; a word's numbers are a multiple of them.
        mlp_ratio: hidden width of a layer's MLP, over that of a word.
        dropout: probability, on the current and before the sums.

    Raises:
        ValueError: the numbers of a word are no multiple of heads.
    """

    word_coding = "currents"

    def __init__(
        self,
        neuron: NeuronFactory,
        in_channels: int,
        num_classes: int,
        frame_shape: tuple[int, int],
        *,
        depth: PositiveInt = 4,
        heads: PositiveInt = 12,
        mlp_ratio: PositiveInt = 4,
        dropout: HalfOpenFraction = 0.1,
    ) -> None:
        super().__init__()
        dim = in_channels * frame_shape[1]
        if dim % heads:
            raise ValueError(
                f"a word of {dim} numbers is no multiple of heads ({heads}) of spiking_bert; its published width is "
                "dataset.dim=768"
            )
        self.cls_D = nn.Parameter(torch.randn(dim) * 0.02)
        self.dropout = SharedDropout(dropout)
        self.neuron = neuron()
        self.blocks = nn.ModuleList(
            SpikingBERTBlock(dim, heads, mlp_ratio * dim, dropout, neuron) for _ in range(depth)
        )
        self.mean = RunningMean()
        self.head = nn.Linear(dim, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]; words without any current are padding."""
        x_TBLD = x_TBCHW.transpose(2, 3).flatten(3)
        mask_BL = (x_TBLD[0] != 0).any(-1)
        # The embedding of [CLS] is the same for all sentences.
        cls_TBLD = self.cls_D.to(x_TBLD.dtype).expand(*x_TBLD.shape[:2], 1, -1)
        s_TBLD = self.neuron(self.dropout(torch.cat([cls_TBLD, x_TBLD], 2)))
        mask_BL = torch.cat([torch.ones_like(mask_BL[:, :1]), mask_BL], 1)
        for block in self.blocks:
            s_TBLD = block(s_TBLD, mask_BL)
        logits_TBK: Tensor = self.head(torch.relu(self.mean(s_TBLD[:, :, 0])))
        return logits_TBK
