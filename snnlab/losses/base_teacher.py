"""The base class of losses with a teacher, and the divergence of softened probabilities.

Shape letters: T time steps, B samples, K classes.
"""

from abc import abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.losses.base import Loss


class TeacherLoss(Loss):
    """Base class of losses with a term that needs a teacher; a subclass implements `own_terms` and `teacher_term`.

    Args:
        alpha: Weight of the teacher's term; with 0 it is omitted, and no teacher is needed.
    """

    def __init__(self, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.needs_teacher = alpha > 0

    term = "kl"
    """Name of the teacher's term."""

    @abstractmethod
    def own_terms(self, logits_TBK: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Returns the terms that need no teacher."""

    @abstractmethod
    def teacher_term(self, logits_TBK: Tensor, teacher_BK: Tensor) -> Tensor:
        """Returns the teacher's term, not yet weighted."""

    def terms(self, logits: Tensor, target: Tensor, teacher_BK: Tensor | None = None) -> dict[str, Tensor]:
        """Returns the terms by name: the loss's own, and the teacher's (`kl`), unless `alpha` is 0.

        Args:
            logits: Logits of every step `[T, B, K]`, any floating dtype; of two heads `[T, B, 2, K]` for a loss with
                `heads_apart`, where the second learns from the teacher.
            target: Class indices `[B]`, or probabilities `[B, K]` where the loss takes them.
            teacher_BK: The teacher's logits, detached.

        Raises:
            ValueError: shapes or dtypes do not fit, or there is no teacher though `alpha` is not 0.
        """
        apart = self.heads_apart and logits.dim() == 4
        own_TBK, logits_TBK = logits.unbind(2) if apart else (logits, logits)
        terms = self.own_terms(own_TBK, target)
        if self.needs_teacher:
            if teacher_BK is None:
                raise ValueError("this loss needs the teacher's logits [B, K]; with alpha = 0 it does not")
            if teacher_BK.shape != logits_TBK.shape[1:]:
                raise ValueError(
                    f"the teacher's logits {list(teacher_BK.shape)} do not fit logits "
                    f"{list(logits_TBK.shape)}: expected {list(logits_TBK.shape[1:])}"
                )
            terms[self.term] = self.alpha * self.teacher_term(logits_TBK, teacher_BK)
        return terms

    def forward(self, logits_TBK: Tensor, target: Tensor, teacher_BK: Tensor | None = None) -> Tensor:
        """Returns the loss, a scalar: the sum of `terms`."""
        return torch.stack(list(self.terms(logits_TBK, target, teacher_BK).values())).sum()

    def held_out(self, logits_TBK: Tensor, target: Tensor) -> Tensor:
        return torch.stack(list(self.own_terms(logits_TBK, target).values())).sum()


def soft_divergence(logits_TBK: Tensor, soft_BK: Tensor, temperature: float) -> Tensor:
    """Returns tau^2 KL(softmax(soft / tau) || softmax(logits / tau)), averaged over samples and steps.

    Eq. 2 of the TWD paper, summed over classes. Its Eq. 3 leaves out the entropy of the soft target, which
    changes the value by a constant and not the gradient. The soft target is detached.

    Args:
        logits_TBK: Logits of every step.
        soft_BK: Logits of the soft target, the same at every step.
        temperature: tau.
    """
    dtype = torch.promote_types(logits_TBK.dtype, torch.float32)
    target_BK = (soft_BK.detach().to(dtype) / temperature).log_softmax(1)
    log_probs_TBK = (logits_TBK.to(dtype) / temperature).log_softmax(2)
    divergence_TBK = F.kl_div(
        log_probs_TBK, target_BK.expand_as(log_probs_TBK), log_target=True, reduction="none"
    )
    return temperature**2 * divergence_TBK.sum(2).mean()
