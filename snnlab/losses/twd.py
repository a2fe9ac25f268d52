"""TWD, temporal-wise distillation: hard target, teacher, and the ensemble over time steps, each at every step.

Shape letters: T time steps, B samples, K classes.
"""

from typing import Literal

from torch import Tensor

from snnlab.losses.base import checked_logits, mean_cross_entropy
from snnlab.losses.base_teacher import TeacherLoss, soft_divergence
from snnlab.ranges import Fraction, NonNegative, Positive


class TWD(TeacherLoss):
    """Temporal-wise distillation (TWD, ICML 2025): `L = TWCE + alpha TWKL + beta TWSD` (Eq. 9).

    With `z_t` the logits of step t, `z_A` the teacher's, and `KL(z, y) = tau^2 KL(softmax(y / tau) ||
    softmax(z / tau))`, where y is detached:

        TWCE = 1/T sum_t CE(z_t, Y)         (Eq. 5)
        TWKL = 1/T sum_t KL(z_t, z_A)       (Eq. 6)
        TWSD = 1/T sum_t KL(z_t, z_ens)     (Eq. 8)

    Args:
        alpha: weight of the teacher's term; 0: no teacher is needed. In the paper 0.2.
        beta: weight of the self-distillation; 0 switches it off. In the paper 0.5.
        temperature: tau of both soft targets; released: 3 for CIFAR and CIFAR10-DVS, 1 for ImageNet. The
            paper gives no value.
        ensemble: mean (over all steps, the paper) | correct_steps (over those that are right, released code).
            With `mean` z_ens is the time mean of the logits (Eq. 8); with `correct_steps` the mean over those
            steps of a sample that predict its class, and 0 (uniform) if none does.
        hard: steps | mean: the hard target at every step (TWCE), or on the time-mean logits (SCE, Eq. 1).
        soft: steps | mean: the teacher's target at every step (TWKL), or on the time-mean logits (SKL, Eq.
            3). With beta = 0 the four combinations are the rows of Table 6.
        label_smoothing: share of the target that is spread evenly over all classes, in the cross entropy
            only.
    """

    def __init__(
        self,
        *,
        alpha: NonNegative = 0.2,
        beta: NonNegative = 0.5,
        temperature: Positive = 3.0,
        ensemble: Literal["mean", "correct_steps"] = "mean",
        hard: Literal["steps", "mean"] = "steps",
        soft: Literal["steps", "mean"] = "steps",
        label_smoothing: Fraction = 0.0,
    ) -> None:
        super().__init__(alpha)
        self.beta = beta
        self.temperature = temperature
        self.ensemble = ensemble
        self.hard = hard
        self.soft = soft
        self.label_smoothing = label_smoothing
        # Of a mixed sample no step is right or wrong.
        self.soft_targets = beta == 0 or ensemble == "mean"

    def own_terms(self, logits_TBK: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Returns `{"ce", "sd"}`; only `{"ce"}` when `beta` is 0.

        Raises:
            ValueError: shapes or dtypes do not fit, or soft targets with `ensemble` correct_steps.
        """
        distils_correct_steps = self.beta > 0 and self.ensemble == "correct_steps"
        if distils_correct_steps and target.is_floating_point():
            raise ValueError(
                "ensemble=correct_steps needs class indices [B]: with soft targets [B, K] (mixup, cutmix) "
                "no step is right or wrong; take ensemble=mean"
            )
        logits_TBK = checked_logits(logits_TBK, target, soft_targets=True)
        hard_TBK = logits_TBK if self.hard == "steps" else logits_TBK.mean(0, keepdim=True)
        terms = {"ce": mean_cross_entropy(hard_TBK, target, self.label_smoothing)}
        if self.beta > 0:
            ensemble_BK = (
                _mean_of_correct_steps(logits_TBK, target) if distils_correct_steps else logits_TBK.mean(0)
            )
            terms["sd"] = self.beta * soft_divergence(logits_TBK, ensemble_BK, self.temperature)
        return terms

    def teacher_term(self, logits_TBK: Tensor, teacher_BK: Tensor) -> Tensor:
        soft_TBK = logits_TBK if self.soft == "steps" else logits_TBK.mean(0, keepdim=True)
        return soft_divergence(soft_TBK, teacher_BK, self.temperature)


def _mean_of_correct_steps(logits_TBK: Tensor, target_B: Tensor) -> Tensor:
    """[B, K]: per sample the mean of the logits of the steps that predict its class; 0 if there is none."""
    correct_TB1 = (logits_TBK.argmax(2) == target_B)[:, :, None]
    count_B1 = correct_TB1.sum(0).clamp(min=1)
    return (logits_TBK * correct_TB1).sum(0) / count_B1
