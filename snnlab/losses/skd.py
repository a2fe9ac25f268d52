"""SKD, standard logit distillation: hard target and teacher on the logits averaged over time.

Shape letters: T time steps, B samples, K classes.
"""

from torch import Tensor

from snnlab.losses.base import checked_logits, mean_cross_entropy
from snnlab.losses.base_teacher import TeacherLoss, soft_divergence
from snnlab.ranges import Fraction, NonNegative, Positive


class SKD(TeacherLoss):
    """Standard logit distillation, the baseline of TWD: `L = SCE + alpha SKL` (TWD paper, Eq. 4).

    With `z` the time mean of the logits and `z_A` the teacher's: `SCE = CE(z, Y)` (Eq. 1) and
    `SKL = tau^2 KL(softmax(z_A / tau) || softmax(z / tau))` (Eq. 2), the teacher detached.

    Args:
        alpha: weight of the teacher's term; 0: the loss is sdt, no teacher is needed. In the paper 0.2.
        temperature: tau of the soft target. TWD's released code has 3 for CIFAR and CIFAR10-DVS, 1 for
            ImageNet.
        label_smoothing: share of the target that is spread evenly over all classes, in the cross entropy
            only.
    """

    soft_targets = True

    def __init__(
        self, *, alpha: NonNegative = 0.2, temperature: Positive = 3.0, label_smoothing: Fraction = 0.0
    ) -> None:
        super().__init__(alpha)
        self.temperature = temperature
        self.label_smoothing = label_smoothing

    def own_terms(self, logits_TBK: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Returns `{"ce"}`.

        Raises:
            ValueError: shapes or dtypes do not fit.
        """
        logits_TBK = checked_logits(logits_TBK, target, soft_targets=True)
        return {"ce": mean_cross_entropy(logits_TBK.mean(0, keepdim=True), target, self.label_smoothing)}

    def teacher_term(self, logits_TBK: Tensor, teacher_BK: Tensor) -> Tensor:
        return soft_divergence(logits_TBK.mean(0, keepdim=True), teacher_BK, self.temperature)
