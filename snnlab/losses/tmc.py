"""TMC, temporal model calibration: cross entropy at every step plus a penalty on overconfidence that fades.

Shape letters: T time steps, B samples, K classes. All of the penalty is computed in the log domain.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.losses.base import Loss, checked_logits, mean_cross_entropy
from snnlab.ranges import Fraction

# Up to here exp() is exact, above it is replaced by its tangent. At 40 the odds p / (1 - p) are beyond what even
# float64 can form from p, and exp(40) = 2e17 leaves room to sum and to multiply in float32 and bfloat16.
LOG_CAP = 40.0


class TMC(Loss):
    """Temporal model calibration (TMC, ICML 2025): per-step cross entropy plus `theta_t ** lambda_t`.

    `L = 1/T sum_t [CE(softmax(Z_t), Y) + theta_t ** lambda_t]` (Eq. 16; the mean over t is the released
    code's), with the cumulative mean logits `Q_t = 1/t [sum_{i<t} SG(Z_i) + Z_t]`, whose earlier steps are
    detached, the probability of the target class `beta_t = softmax(Q_t)^k` (Eq. 14) and its odds
    `theta_t = beta_t / (1 - beta_t)` (Eq. 15). The paper and the released code differ twice, with t = 1..T:

    - `paper`: theta_t per sample, then the mean over the batch; lambda_t = (T - t) / T, so that the penalty
      of the last step is the constant 1.
    - `code`: theta_t = mean of beta_t over the batch / mean of 1 - beta_t over the batch;
      lambda_t = (T - t + 1) / T, which is 1 at the first step.

    The default is `code`, since the published numbers were most likely made with it. Its batch is the batch
    of one process and one micro-batch; on held-out data it is the whole pass.

    Any logits give a finite value and a finite gradient. With `x = lambda_t log theta_t`, the penalty is
    `exp(x)` up to x = 40 and its tangent `exp(40) (1 + x - 40)` above: the value keeps growing, and the
    gradient stays at its largest value instead of overflowing, or of vanishing as with a clamp, so a highly
    overconfident sample still receives a gradient. (In float16 gradients above 65504 overflow
    where they reach the logits: a gradient scaler skips that step.)

    Args:
        variant: paper | code: where the two options below take their value from when they are null.
        theta: sample | batch | null: odds of each sample, or ratio of the two batch means.
        exponent: paper (T-t)/T | code (T-t+1)/T | none (1 at every step) | null. The third is the ablation
            without lambda, section 4.3.
        base: theta (the odds) | beta (the probability itself). The second is the other ablation of section
            4.3.
        label_smoothing: share of the target that is spread evenly over all classes, in the cross entropy
            only.
    """

    def __init__(
        self,
        *,
        variant: Literal["paper", "code"] = "code",
        theta: Literal["sample", "batch"] | None = None,
        exponent: Literal["paper", "code", "none"] | None = None,
        base: Literal["theta", "beta"] = "theta",
        label_smoothing: Fraction = 0.0,
    ) -> None:
        super().__init__()
        self.theta = theta or ("sample" if variant == "paper" else "batch")
        self.exponent = exponent or variant
        self.base = base
        self.label_smoothing = label_smoothing

    def terms(self, logits_TBK: Tensor, target_B: Tensor) -> dict[str, Tensor]:
        """Returns `{"ce", "theta"}`, both averaged over time (the penalty is named `theta` for either base).

        Args:
            logits_TBK: Logits of every step, `[T, B, K]` with at least two classes, any floating dtype.
            target_B: Class indices.

        Raises:
            ValueError: shapes or dtypes do not fit, soft targets, or one class only.
        """
        logits_TBK = checked_logits(logits_TBK, target_B, soft_targets=False)
        if logits_TBK.shape[2] < 2:
            raise ValueError("TMC compares the target class with the others: it needs at least 2 classes")
        return {
            "ce": mean_cross_entropy(logits_TBK, target_B, self.label_smoothing),
            "theta": self._penalty(logits_TBK, target_B).mean(),
        }

    def part(self, logits_TBK: Tensor, target: Tensor) -> Tensor:
        """Returns the loss, a scalar; with batch means `[3, T]`: cross entropy, log sums of beta and of 1 - beta."""
        if self.theta == "sample":
            return self.held_out(logits_TBK, target)
        logits_TBK = checked_logits(logits_TBK, target, soft_targets=False)
        entropy = mean_cross_entropy(logits_TBK, target, self.label_smoothing)
        log_odds_TB = _target_log_odds(_cumulative_mean(logits_TBK), target)
        log_beta_T, log_rest_T = _log_sums(log_odds_TB)
        return torch.stack([entropy.expand_as(log_beta_T), log_beta_T, log_rest_T])

    def of_parts(self, parts: Tensor, counts_P: Tensor) -> Tensor:
        """Returns the loss of a pass; its two means of beta and 1 - beta are those over the whole pass."""
        if self.theta == "sample":
            return super().of_parts(parts, counts_P)
        entropy = super().of_parts(parts[:, 0, 0], counts_P)
        log_beta_T, log_rest_T = parts[:, 1:].logsumexp(0)
        return entropy + self._penalty_of_sums(log_beta_T, log_rest_T, int(counts_P.sum())).mean()

    def _penalty(self, logits_TBK: Tensor, target_B: Tensor) -> Tensor:
        """Returns the penalty per step and sample [T, B], or per step [T] for the ratio of batch means."""
        log_odds_TB = _target_log_odds(_cumulative_mean(logits_TBK), target_B)
        if self.theta == "batch":
            return self._penalty_of_sums(*_log_sums(log_odds_TB), log_odds_TB.shape[1])
        log_base_TB = log_odds_TB if self.base == "theta" else F.logsigmoid(log_odds_TB)
        return _exp_with_tangent(self._lambdas(log_odds_TB)[:, None] * log_base_TB)

    def _penalty_of_sums(self, log_beta_T: Tensor, log_rest_T: Tensor, count: int) -> Tensor:
        # The two means divide by the same number of samples, which cancels in theta but not in beta.
        log_beta_T, log_rest_T = log_beta_T - math.log(count), log_rest_T - math.log(count)
        log_base_T = log_beta_T - log_rest_T if self.base == "theta" else log_beta_T
        return _exp_with_tangent(self._lambdas(log_base_T) * log_base_T)

    def _lambdas(self, like_T: Tensor) -> Tensor:
        num_steps = like_T.shape[0]
        steps_T = torch.arange(1, num_steps + 1, dtype=like_T.dtype, device=like_T.device)
        if self.exponent == "none":
            return torch.ones_like(steps_T)
        return (num_steps - steps_T + (1 if self.exponent == "code" else 0)) / num_steps


def _cumulative_mean(logits_TBK: Tensor) -> Tensor:
    """Returns the mean of the logits up to each step (Eq. 14); only the logits of that step receive a gradient."""
    constant_TBK = logits_TBK.detach()
    # The difference is zero: it adds the gradient of the step's own logits to the constant sum.
    sum_TBK = constant_TBK.cumsum(0) + (logits_TBK - constant_TBK)
    count_T = torch.arange(1, logits_TBK.shape[0] + 1, dtype=logits_TBK.dtype, device=logits_TBK.device)
    return sum_TBK / count_T[:, None, None]


def _target_log_odds(logits_TBK: Tensor, target_B: Tensor) -> Tensor:
    """log(p / (1 - p)) of the target class: its logit minus the logsumexp of the others."""
    index_TB1 = target_B.long()[None, :, None].expand(logits_TBK.shape[0], -1, 1)
    others_TBK = logits_TBK.scatter(2, index_TB1, -torch.inf)
    return logits_TBK.gather(2, index_TB1).squeeze(2) - others_TBK.logsumexp(2)


def _log_sums(log_odds_TB: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms of the sums over samples of beta and of 1 - beta, [T] each; neither can be rounded to log 0."""
    return F.logsigmoid(log_odds_TB).logsumexp(1), F.logsigmoid(-log_odds_TB).logsumexp(1)


def _exp_with_tangent(x: Tensor) -> Tensor:
    return x.clamp(max=LOG_CAP).exp() * (1 + (x - LOG_CAP).relu())
