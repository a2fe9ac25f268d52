"""The confidence at which TMC's training settles on data that the network can fit. Plain numbers, no torch.

At each step the cross entropy pulls the target's log odds up with a force of `1 - p_t`, and the penalty
`theta_t ** lambda_t` pulls them down with `lambda_t / t * odds(q_t) ** lambda_t`. The derivation is in
`docs/papers/tmc.md`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Exponent = Literal["paper", "code", "none"]
Base = Literal["theta", "beta"]
# Log odds beyond which a probability is 1 in float64.
_MOST = 60.0
_HALVINGS = 80


@dataclass(frozen=True)
class FixedPoints:
    """Probabilities of the target class where the loss pulls neither way, for t = 1..T.

    Attributes:
        step: p_t, of the logits of the single step; 1.0 where nothing holds the cross entropy back.
        cumulative: q_t, of the mean of the logits up to step t.
    """

    step: Sequence[float]
    cumulative: Sequence[float]


def lambdas(num_steps: int, exponent: Exponent) -> list[float]:
    """The exponents lambda_t for t = 1..T."""
    first = {"paper": num_steps - 1, "code": num_steps, "none": num_steps}[exponent]
    fall = 0 if exponent == "none" else 1
    return [(first - fall * t) / num_steps for t in range(num_steps)]


def fixed_points(
    num_steps: int, exponent: Exponent = "code", base: Base = "theta", smoothing: float = 0.0
) -> FixedPoints:
    """Solves `1 - p_t = lambda_t / t * odds(q_t) ** lambda_t` step by step (`base=theta`).

    The logits of the other classes are taken to be equal, so log odds(q_t) is the mean of the log odds of p_1..p_t,
    and the number of classes does not matter. With `base=beta` the right side is
    `lambda_t / t * q_t ** lambda_t * (1 - q_t)`.

    Args:
        num_steps: T, at least 1.
        exponent: which lambda_t, as in `TMC`.
        base: theta (the odds) | beta (the probability), as in `TMC`.
        smoothing: the share of the target that label smoothing gives to the other classes:
            `label_smoothing (K - 1) / K` for K classes.

    Raises:
        ValueError: `num_steps` is below 1, or `smoothing` is not in [0, 1).
    """
    if num_steps < 1 or not 0 <= smoothing < 1:
        raise ValueError(f"needs at least 1 step and 0 <= smoothing < 1, got {num_steps} and {smoothing}")
    sum_of_log_odds, steps, cumulative = 0.0, [], []
    for t, power in enumerate(lambdas(num_steps, exponent), start=1):

        def pull(log_odds: float, t: int = t, power: float = power, before: float = sum_of_log_odds) -> float:
            mean = (before + log_odds) / t
            down = math.exp(power * mean) if base == "theta" else _sigmoid(mean) ** power * _sigmoid(-mean)
            return _sigmoid(-log_odds) - smoothing - power / t * down

        # Log odds may be infinite; every later mean is infinite then, and p_t can only be 1 too.
        log_odds = _root(pull) if math.isfinite(sum_of_log_odds) else math.inf
        sum_of_log_odds += log_odds
        steps.append(_sigmoid(log_odds))
        cumulative.append(_sigmoid(sum_of_log_odds / t))
    return FixedPoints(steps, cumulative)


def fixed_points_of(
    loss: str, settings: Mapping[str, Any], num_steps: int, num_classes: int
) -> FixedPoints | None:
    """The fixed points of a run's loss; None for a loss other than TMC.

    Args:
        loss: its registered name.
        settings: its keys, as a configuration holds them.
        num_steps: time steps of the logits in training.
        num_classes: K, which matters with label smoothing only.
    """
    if loss != "tmc":
        return None
    smoothing = float(settings.get("label_smoothing") or 0.0) * (num_classes - 1) / num_classes
    exponent: Any = settings.get("exponent") or settings.get("variant") or "code"
    return fixed_points(num_steps, exponent, settings.get("base") or "theta", smoothing)


def _root(pull: Callable[[float], float]) -> float:
    """Where the pull changes from up to down, by bisection; infinity where it is up all the way."""
    low, high = -_MOST, _MOST
    if pull(high) >= 0:
        return math.inf
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if pull(middle) > 0 else (low, middle)
    return (low + high) / 2


def _sigmoid(x: float) -> float:
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    return math.exp(x) / (1 + math.exp(x))
