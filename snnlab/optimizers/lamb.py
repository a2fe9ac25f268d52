"""LAMB: Adam whose steps are as long as the weights they change, for large batches."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from snnlab.optimizers.base import Own, param_groups
from snnlab.ranges import HalfOpenFraction, NonNegative, Positive


class Lamb(torch.optim.Optimizer):
    """LAMB (You et al., arXiv:1904.00962) as in timm: Adam's step, scaled to the norm of each parameter.

    g = grad / max(1, |all gradients| / max_grad_norm)
    m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2
    u = (m / (1 - beta1^n)) / (sqrt(v / (1 - beta2^n)) + eps) + weight_decay w
    w = w - lr r u,  r = |w| / |u|, and 1 where either is 0 or the parameter is not decayed

    Args:
        model: The module whose trainable parameters are optimised.
        lr: learning rate before any schedule. Spike-driven Transformer V2 has 0.0006 for 256 samples.
        beta1: decay of the running mean of the gradient.
        beta2: decay of the running mean of its square.
        eps: added to the root of the latter.
        weight_decay: share of the weight that is added to the step before it is scaled.
        max_grad_norm: upper bound of the norm of all gradients together; null: none.
        trust_clip: true | false: a step is never made longer, r is at most 1. True in Spike-driven Transformer V2.
        decay_norm_and_bias: true | false: decay normalisation, biases and neuron scalars too. False leaves parameters
            of at most one dimension without decay, and their steps unscaled.
        lr_t: learning rate of the time steps t of `quant_relu` (or n, or s); null: lr. With 0 they stay as they are.
        weight_decay_t: their weight decay; null: that of other scalars. It pulls towards fewer time steps.
        lr_gamma: learning rate of gamma of `quant_relu`; null: lr.
        weight_decay_gamma: its weight decay; null: that of other scalars.

    Raises:
        ValueError: the model has no trainable parameter.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        lr: Positive = 0.001,
        beta1: HalfOpenFraction = 0.9,
        beta2: HalfOpenFraction = 0.999,
        eps: Positive = 1e-6,
        weight_decay: NonNegative = 0.01,
        max_grad_norm: Positive | None = 1.0,
        trust_clip: bool = False,
        decay_norm_and_bias: bool = True,
        lr_t: NonNegative | None = None,
        weight_decay_t: NonNegative | None = None,
        lr_gamma: NonNegative | None = None,
        weight_decay_gamma: NonNegative | None = None,
    ) -> None:
        own = {"t": Own(lr_t, weight_decay_t), "gamma": Own(lr_gamma, weight_decay_gamma)}
        groups = param_groups(model, weight_decay, decay_norm_and_bias, own)
        super().__init__(groups, {"lr": lr, "betas": (beta1, beta2), "eps": eps, "capturable": False})
        self.max_grad_norm, self.trust_clip = max_grad_norm, trust_clip

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One step with the gradients as they are; those of None are left out."""
        assert closure is None
        moved = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        if not moved:
            return
        divisor = self._divisor([p.grad for p in moved])
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad / divisor, group)

    def _divisor(self, grads: list[Tensor]) -> Tensor | float:
        if self.max_grad_norm is None:
            return 1.0
        norm: Tensor = torch.linalg.vector_norm(
            torch.stack([torch.linalg.vector_norm(grad) for grad in grads])
        )
        return torch.clamp(norm / self.max_grad_norm, min=1.0)

    def _move(self, parameter: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            # On the host, as Adam has it, but where the step is recorded.
            state["step"] = torch.tensor(0.0, device=parameter.device if group["capturable"] else None)
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        state["step"] += 1
        count = state["step"] if group["capturable"] else float(state["step"])
        (beta1, beta2), decay = group["betas"], group["weight_decay"]
        mean = state["exp_avg"].lerp_(grad, 1 - beta1)
        square = state["exp_avg_sq"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        change = mean / (1 - beta1**count) / ((square / (1 - beta2**count)).sqrt() + group["eps"])
        if decay:
            change += decay * parameter
            change *= self._ratio(torch.linalg.vector_norm(parameter), torch.linalg.vector_norm(change))
        parameter -= group["lr"] * change

    def _ratio(self, weight: Tensor, change: Tensor) -> Tensor:
        ratio = torch.where((weight > 0) & (change > 0), weight / change, 1.0)
        return ratio.clamp(max=1.0) if self.trust_clip else ratio
