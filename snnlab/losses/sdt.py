"""SDT, standard direct training: the cross entropy of the logits averaged over time.

Shape letters: T time steps, B samples, K classes.
"""

from torch import Tensor

from snnlab.losses.base import Loss, checked_logits, mean_cross_entropy
from snnlab.ranges import Fraction


class SDT(Loss):
    """Standard direct training: cross entropy of the time-mean logits.

    `L = CE(softmax(1/T sum_t Z_t), Y)`. Its gradient is the same at every step (TMC paper, Eq. 6; the factor
    1/T comes from the mean): `dL/dZ_t = (P_avg - Y) / T`.

    Args:
        label_smoothing: share of the target that is spread evenly over all classes. In the TMC paper 0.
    """

    soft_targets = True

    def __init__(self, *, label_smoothing: Fraction = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def terms(self, logits_TBK: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Returns `{"ce"}`.

        Args:
            logits_TBK: Logits of every step, `[T, B, K]`, any floating dtype.
            target: Class indices `[B]` or target probabilities `[B, K]`.

        Raises:
            ValueError: shapes or dtypes do not fit.
        """
        logits_TBK = checked_logits(logits_TBK, target, soft_targets=True)
        mean_logits_1BK = logits_TBK.mean(0, keepdim=True)
        return {"ce": mean_cross_entropy(mean_logits_1BK, target, self.label_smoothing)}
