"""Hard distillation on a head of its own: the teacher's class is a second label.

Shape letters: T time steps, B samples, K classes.
"""

import torch.nn.functional as F
from torch import Tensor

from snnlab.losses.base import checked_logits, mean_cross_entropy
from snnlab.losses.base_teacher import TeacherLoss
from snnlab.ranges import Fraction


class HardDistillation(TeacherLoss):
    """Hard distillation of DeiT and Meta-SpikeFormer: `L = (1 - alpha) CE(z, Y) + alpha CE(z_kd, argmax z_A)`.

    With `z` and `z_kd` the time means of the logits of the network's two heads and `z_A` the teacher's. A network
    with two heads (`model.distillation_head=true`) gives both while it is trained, [T, B, 2, K]; in evaluation the
    logits are their mean, and the loss is CE alone. With one head, z_kd is z.

    Args:
        alpha: weight of the teacher's class; 0: no teacher is needed. Spike-driven Transformer V2 has 0.5.
        label_smoothing: share of the target that is spread evenly over all classes, in the first term only.
    """

    soft_targets = True
    heads_apart = True
    term = "hard"

    def __init__(self, *, alpha: Fraction = 0.5, label_smoothing: Fraction = 0.0) -> None:
        super().__init__(alpha)
        self.label_smoothing = label_smoothing

    def terms(self, logits: Tensor, target: Tensor, teacher_BK: Tensor | None = None) -> dict[str, Tensor]:
        terms = super().terms(logits, target, teacher_BK)
        return terms | {"ce": (1 - self.alpha) * terms["ce"]}

    def own_terms(self, logits_TBK: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Returns `{"ce"}`, not weighted.

        Raises:
            ValueError: shapes or dtypes do not fit.
        """
        logits_TBK = checked_logits(logits_TBK, target, soft_targets=True)
        return {"ce": mean_cross_entropy(logits_TBK.mean(0, keepdim=True), target, self.label_smoothing)}

    def teacher_term(self, logits_TBK: Tensor, teacher_BK: Tensor) -> Tensor:
        logits_BK = logits_TBK.to(teacher_BK.dtype).mean(0)
        return F.cross_entropy(logits_BK, teacher_BK.detach().argmax(1))
