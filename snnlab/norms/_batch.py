"""PyTorch's batch normalisation for any number of axes, with time folded into the batch.

It stays a `_BatchNorm`, so that conversion to SyncBatchNorm and lists of undecayed parameters find it.
"""

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from snnlab.layers.time import fold_time, unfold_time


class BatchNorm(_BatchNorm):
    """Batch normalisation of [N, C, ...] with any number of axes behind C."""

    def _check_input_dim(self, input: Tensor) -> None:
        assert input.dim() >= 2, f"batch normalisation needs [N, C, ...], got {tuple(input.shape)}"


def batch_norm_over_time(bn: nn.Module, x_TBC: Tensor) -> Tensor:
    """[T, B, C, ...] -> [T, B, C, ...], with statistics over everything but C."""
    y_N: Tensor = bn(fold_time(x_TBC))
    return unfold_time(y_N, len(x_TBC))
