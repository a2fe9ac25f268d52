"""The interface of regularisers: a weighted scalar from the last forward pass that is added to the loss."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext

from torch import Tensor, nn


class Regulariser(nn.Module, ABC):
    """Base class of penalties on internal quantities of a network.

        with regulariser.watching(model):
            logits_TBK = model(x_TBCHW)
        loss = loss + regulariser.term(model)

    Attributes:
        weight: factor of the penalty, contained in `term`.
    """

    weight: float

    def watching(self, model: nn.Module) -> AbstractContextManager[None]:
        """Returns the context in which the forward pass must run; it does nothing unless a subclass overrides it.

        Raises:
            ValueError: the model has nothing that the penalty applies to.
        """
        return nullcontext()

    @abstractmethod
    def term(self, model: nn.Module) -> Tensor:
        """Returns the weighted scalar of the last forward pass, differentiable."""
