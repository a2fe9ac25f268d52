"""PyTorch's batch normalisation for any number of axes, with time folded into the batch.

It is a `_BatchNorm`, so that conversion to SyncBatchNorm and lists of undecayed parameters find it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from snnlab.time_axis import fold_time, is_still, unfold_time


class BatchNorm(_BatchNorm):
    """Batch normalisation of [N, C, ...] with any number of axes after C."""

    def _check_input_dim(self, input: Tensor) -> None:
        assert input.dim() >= 2, f"batch normalisation needs [N, C, ...], got {tuple(input.shape)}"

    def forward(self, input: Tensor) -> Tensor:
        """Normalises [N, C, ...]; without momentum the running statistics are the mean over all batches."""
        if self.momentum is not None or not self.training or not self.track_running_stats:
            return super().forward(input)
        # PyTorch would read the number of batches on the host, which a CUDA graph cannot.
        self._check_input_dim(input)
        y: Tensor = F.batch_norm(input, None, None, self.weight, self.bias, training=True, eps=self.eps)
        axes = [axis for axis in range(input.dim()) if axis != 1]
        var, mean = torch.var_mean(input.detach().to(torch.float32), axes, correction=0)
        self.take_up(mean, var, input.numel() // len(mean))
        return y

    def of_still(self, x_TBC: Tensor) -> Tensor:
        """Normalises a static input, x_TBC[0] expanded to T steps, once; the statistics count all T copies."""
        x_BC = x_TBC[0]
        if not self.training:
            y_BC: Tensor = self(x_BC)
        else:
            axes = [axis for axis in range(x_BC.dim()) if axis != 1]
            var, mean = torch.var_mean(x_BC.detach().to(torch.float32), axes, correction=0)
            y_BC = F.batch_norm(x_BC, None, None, self.weight, self.bias, training=True, eps=self.eps)
            self.take_up(mean, var, x_TBC.numel() // len(mean))
        return y_BC.expand(len(x_TBC), *y_BC.shape)

    @torch.no_grad()
    def take_up(self, mean: Tensor, var: Tensor, count: int) -> None:
        """Updates the running statistics as a call in training would; var [C] of `count` values is divided by count."""
        running_mean, running_var, batches = self.running_mean, self.running_var, self.num_batches_tracked
        assert running_mean is not None
        assert running_var is not None
        assert batches is not None
        batches.add_(1)
        mean, var = mean.to(running_mean.dtype), (var * (count / (count - 1))).to(running_var.dtype)
        if self.momentum is None:
            share = batches.to(mean.dtype).reciprocal()
            running_mean.lerp_(mean, share)
            running_var.lerp_(var, share)
        else:
            running_mean.lerp_(mean, self.momentum)
            running_var.lerp_(var, self.momentum)


class BatchNormOverTime(nn.Module):
    """Base class of norms with statistics over all axes but C, optionally followed by a factor for each time step.

    Attributes:
        bn: the normalisation; in a run over several processes it may be a `SyncBatchNorm`.
    """

    bn: nn.Module

    def step_factors(self, num_steps: int) -> Tensor | None:
        """Returns the factor p_T [T] of each step; None if there is none."""
        return None

    def forward(self, x_TBC: Tensor) -> Tensor:
        """Normalises [T, B, C, ...]; returns the same shape."""
        p_T = self.step_factors(len(x_TBC))
        if is_still(x_TBC) and type(self.bn) is BatchNorm and self.bn.track_running_stats:
            y_TBC = self.bn.of_still(x_TBC)
        else:
            y_N: Tensor = self.bn(fold_time(x_TBC))
            y_TBC = unfold_time(y_N, len(x_TBC))
        return y_TBC if p_T is None else y_TBC * p_T.to(y_TBC.dtype).view(-1, *[1] * (y_TBC.dim() - 1))
