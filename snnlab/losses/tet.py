"""TET, temporal efficient training: cross entropy at every step, and a penalty on the distance of logits to a constant.

Shape letters: T time steps, B samples, K classes.
"""

from torch import Tensor

from snnlab.losses.base import Loss, checked_logits, mean_cross_entropy
from snnlab.ranges import Fraction


class TET(Loss):
    """Temporal efficient training (Deng et al., ICLR 2022): mean over time of the per-step cross entropy.

    `L = (1 - lamb) * 1/T sum_t CE(softmax(Z_t), Y) + lamb * MSE(Z, means)`, the square averaged over steps,
    samples and classes. With `lamb = 0` the gradient is (TMC paper, Eq. 7; the factor 1/T comes from the
    mean) `dL/dZ_t = (P_t - Y) / T`.

    Args:
        lamb: weight of the squared distance of logits to a constant; 0 in TMC's TET baseline. TET's released
            CIFAR10-DVS recipe has 0.001; the TET baseline in TMC's released code has no regulariser.
        means: the constant of that distance. In TET's released code 1.
        label_smoothing: share of the target that is spread evenly over all classes.
    """

    soft_targets = True

    def __init__(
        self, *, lamb: Fraction = 0.001, means: float = 1.0, label_smoothing: Fraction = 0.0
    ) -> None:
        super().__init__()
        self.lamb = lamb
        self.means = means
        self.label_smoothing = label_smoothing

    def terms(self, logits_TBK: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Returns `{"ce", "mse"}`, weighted by `1 - lamb` and `lamb`; only `{"ce"}` when `lamb` is 0.

        Args:
            logits_TBK: Logits of every step, `[T, B, K]`, any floating dtype.
            target: Class indices `[B]` or target probabilities `[B, K]`.

        Raises:
            ValueError: shapes or dtypes do not fit.
        """
        logits_TBK = checked_logits(logits_TBK, target, soft_targets=True)
        terms = {"ce": (1 - self.lamb) * mean_cross_entropy(logits_TBK, target, self.label_smoothing)}
        if self.lamb > 0:
            terms["mse"] = self.lamb * (logits_TBK - self.means).square().mean()
        return terms
