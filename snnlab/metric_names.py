"""The vocabulary of metrics: what each is called, printed as and judged by, and how the keys of results are spelled.

A key is `<split>/<name>` for the cumulative mean at the last time step, `<split>/<name>_<reading>/t<step>` for one
time step. Values are fractions; percent is a matter of printing. No torch here: a command is checked with it.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MetricName:
    """How a metric is named and printed.

    Attributes:
        key: in results and in `metrics.jsonl`.
        label: in text.
        unit: `%` if the fraction is printed in percent, else empty.
        digits: after the point.
        higher_is_better: whether a higher value is an improvement.
    """

    key: str
    label: str
    unit: str = ""
    digits: int = 4
    higher_is_better: bool = False

    @property
    def title(self) -> str:
        """The label above a picture."""
        return self.label[:1].upper() + self.label[1:]

    @property
    def heading(self) -> str:
        """The label above a narrow column of a table, with the unit."""
        return f"{self.key} {self.unit}" if self.unit else self.label

    @property
    def factor(self) -> float:
        """From the stored value to the printed one."""
        return 100.0 if self.unit == "%" else 1.0

    def number(self, value: float) -> str:
        """The value as it is printed, without its unit."""
        return f"{self.factor * value:.{self.digits}f}"

    def text(self, value: float) -> str:
        """The value as it is printed, with its unit."""
        return f"{self.number(value)} {self.unit}".rstrip()

    def is_better(self, value: float, than: float) -> bool:
        """Whether a value improves on another; NaN never does."""
        return value > than if self.higher_is_better else value < than


ACC = MetricName("acc", "accuracy", "%", digits=2, higher_is_better=True)
NLL = MetricName("nll", "NLL")
BRIER = MetricName("brier", "Brier score")
ECE = MetricName("ece", "ECE")
ADAECE = MetricName("adaece", "AdaECE")
CECE = MetricName("cece", "CECE")
LOSS = MetricName("loss", "loss")

OF_CALIBRATION = (ECE, ADAECE, CECE)
"""The calibration errors, which begin at 0."""

OVER_TIME = (ACC, NLL, BRIER, *OF_CALIBRATION)
"""What is measured at every time step."""

METRICS = {one.key: one for one in (*OVER_TIME, LOSS)}

READINGS = {"step": "single step", "cum": "cumulative mean"}
"""What the logits of time step t are: those of the step alone, or the mean of steps 1 to t."""

METRIC_PATTERN = re.compile(
    rf"test/(?:{LOSS.key}|(?:{'|'.join(one.key for one in OVER_TIME)})(?:_(?:{'|'.join(READINGS)})/t[1-9]\d*)?)"
)
"""The keys that `trainer.select` takes."""


def metric_of(key: str) -> MetricName | None:
    """The metric of a key of results, whatever its split, reading and step; None where it is another quantity."""
    match = re.fullmatch(rf"[^/]+/([a-z]+)(?:_(?:{'|'.join(READINGS)})/t\d+)?", key)
    return METRICS.get(match[1]) if match else None


def at_each_step(metrics: Mapping[str, float | None], name: str) -> dict[int, float | None]:
    """`{"test/ece_cum/t2": 0.1}` and "test/ece_cum" give `{2: 0.1}`, in the order of the steps."""
    pattern = re.compile(rf"{re.escape(name)}/t(\d+)")
    found = {int(match[1]): value for key, value in metrics.items() if (match := pattern.fullmatch(key))}
    return dict(sorted(found.items()))


def known_at_each_step(metrics: Mapping[str, float | None], name: str) -> dict[int, float]:
    """Returns what `at_each_step` does, without the steps whose value is missing or not finite."""
    found = at_each_step(metrics, name)
    return {step: value for step, value in found.items() if value is not None and math.isfinite(value)}
