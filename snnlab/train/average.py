"""The moving average of a network's weights and buffers."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class Average(AveragedModel):
    """PyTorch's exponential moving average, which reads its count at the first step only, not at each.

    Args:
        model: the network; what is averaged is in `module`, a copy of it.
        decay: share of the average that stays at each step.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._ema = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]  # untyped in torch
        super().__init__(model, multi_avg_fn=self._ema, use_buffers=True)
        self._started = False

    def update_parameters(self, model: nn.Module) -> None:
        """Adds the network as it is; the first time the average becomes equal to it."""
        if not self._started:
            super().update_parameters(model)
            self._started = True
            return
        of_dtype: dict[torch.dtype, tuple[list[Tensor], list[Tensor]]] = {}
        for own, other in zip(_values(self.module), _values(model), strict=True):
            ours, others = of_dtype.setdefault(own.dtype, ([], []))
            ours.append(own)
            others.append(other)
        for ours, others in of_dtype.values():
            self._ema(ours, others, None)
        self.n_averaged += 1

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        found = super().load_state_dict(state_dict, strict, assign)
        self._started = bool(self.n_averaged > 0)
        return found


def _values(model: nn.Module) -> list[Tensor]:
    return [one.detach() for one in (*model.parameters(), *model.buffers())]
