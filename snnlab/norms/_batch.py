"""PyTorch's batch normalisation for any number of axes, with time folded into the batch.

It stays a `_BatchNorm`, so that conversion to SyncBatchNorm and lists of undecayed parameters find it.
"""

from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from snnlab.layers.time import fold_time, unfold_time


class _AnyBatchNorm(_BatchNorm):
    def _check_input_dim(self, input: Tensor) -> None:
        assert input.dim() >= 2, f"batch normalisation needs [N, C, ...], got {tuple(input.shape)}"


def make_batch_norm(num_features: int, eps: float, momentum: float) -> _BatchNorm:
    return _AnyBatchNorm(num_features, eps=eps, momentum=momentum)


def batch_norm_over_time(bn: _BatchNorm, x_TBC: Tensor) -> Tensor:
    """[T, B, C, ...] -> [T, B, C, ...], statistics over everything but C."""
    y: Tensor = bn(fold_time(x_TBC))
    return unfold_time(y, len(x_TBC))
