"""ResNet-19, the widened ResNet for small images that spiking networks are compared on.

Shape suffixes: T time steps, B samples, C channels, H height, W width, K classes.
"""

from typing import Literal

from torch import Tensor, nn

from snnlab.layers.factory import NeuronFactory, NormFactory
from snnlab.layers.fused import Layers
from snnlab.layers.residual import conv3x3, residual_stage


class ResNet19SNN(nn.Module):
    """ResNet-19 of Zheng et al. 2021 as in the code of TET, TMC (64-channel stem) and TWD (128).

    conv-norm-neuron, stages of 3, 3, 2 residual blocks with 128, 256, 512 channels and strides 1, 2, 2,
    average pool, then on each step linear 512 to 256, neuron, linear to the classes, both with bias. Any
    image size works; 32 is the published one. Weights start as PyTorch's do, as in the released codes. With
    the neuron `relu` it is an ANN.

    Args:
        neuron, norm: factories of the layers, see `snnlab.layers.factory`.
        in_channels, num_classes: of the data.
        residual_neuron: factory of the neurons after residual additions; None: `neuron`.
        stem: channels of the first convolution: 64 (TET, TMC) | 128 (TWD, DS-ATGO).
    """

    released_unused = r".*(_s|seqbn)\..*"  # layers that are registered twice
    convolutional = True

    def __init__(
        self,
        neuron: NeuronFactory,
        norm: NormFactory,
        in_channels: int,
        num_classes: int,
        residual_neuron: NeuronFactory | None = None,
        *,
        stem: Literal[64, 128] = 64,
    ) -> None:
        super().__init__()
        self.stem = Layers(conv3x3(in_channels, stem), norm(stem), neuron())
        self.stages = nn.Sequential(
            residual_stage(stem, 128, 3, 1, neuron, norm, residual_neuron),
            residual_stage(128, 256, 3, 2, neuron, norm, residual_neuron),
            residual_stage(256, 512, 2, 2, neuron, norm, residual_neuron),
        )
        self.changes = (stem != 128, True, True)  # whether a stage's first shortcut is a convolution
        self.head = nn.Sequential(nn.Linear(512, 256), neuron(), nn.Linear(256, num_classes))

    def forward(self, x_TBCHW: Tensor) -> Tensor:
        """Returns logits [T, B, K]."""
        logits_TBK: Tensor = self.head(self.stages(self.stem(x_TBCHW)).mean((3, 4)))
        return logits_TBK

    def released_names(self) -> list[str]:
        """The names in the code of TET, and of TMC."""
        names = ["conv1", "bn1.bn"]
        for i, (blocks, changes) in enumerate(zip((3, 3, 2), self.changes, strict=True), start=1):
            for block in range(blocks):
                layers = ["conv1", "bn1.bn", "conv2", "bn2.bn"]
                if block == 0 and changes:
                    layers += ["downsample.layer.module", "downsample.bn.bn"]
                names += [f"layer{i}.{block}.{layer}" for layer in layers]
        return [*names, "fc1", "fc2"]
