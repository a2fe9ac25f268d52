"""What regularisers share: a weighted scalar that is added to the loss, taken from a network that has just run."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext

from torch import Tensor, nn


class Regulariser(nn.Module, ABC):
    """Base class: a penalty on a network that a loss of its logits cannot see.

        with regulariser.watching(model):
            logits_TBK = model(x_TBCHW)
        loss = loss + regulariser.term(model)

    Attributes:
        weight: factor of the penalty, contained in `term`.
    """

    weight: float

    def watching(self, model: nn.Module) -> AbstractContextManager[None]:
        """What has to be in place while the model runs; nothing unless a subclass says so.

        Raises:
            ValueError: there is nothing in this model that the penalty could be of.
        """
        return nullcontext()

    @abstractmethod
    def term(self, model: nn.Module) -> Tensor:
        """The weighted scalar for the forward pass that came last, differentiable."""
