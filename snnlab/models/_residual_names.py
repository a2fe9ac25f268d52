"""The names that others give the layers of ResNets with basic blocks, in the order in which they are here."""

from collections.abc import Sequence

from torch import nn

OF_TORCHVISION = (("conv1", "bn1", "conv2", "bn2"), ("downsample.0", "downsample.1"))
"""A block's layers, and those of its shortcut: in torchvision and in spikingjelly's spiking_resnet and sew_resnet."""

OF_SEW = (
    ("conv1.module.0", "conv1.module.1", "conv2.module.0", "conv2.module.1"),
    ("downsample.0.module.0", "downsample.0.module.1"),
)
"""The same in the code of SEW-ResNet, fangwei123456/Spike-Element-Wise-ResNet."""


def resnet_names(stages: nn.Sequential, names: tuple[Sequence[str], Sequence[str]]) -> list[str]:
    """Returns the names of a whole network.

    Args:
        stages: of blocks with a `shortcut`, which is a convolution and a norm or the identity.
        names: of a block's layers and of its shortcut's.
    """
    found = ["conv1", "bn1"]
    for i, stage in enumerate(stages, start=1):
        assert isinstance(stage, nn.Sequential)
        for j, block in enumerate(stage):
            inside, shortcut = names
            plain = isinstance(block.shortcut, nn.Identity)
            found += [f"layer{i}.{j}.{one}" for one in (*inside, *(() if plain else shortcut))]
    return [*found, "fc"]
