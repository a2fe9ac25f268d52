"""What is measured: accuracy and calibration, whole or streaming over time steps, and the inside of a
network."""

from snnlab.metrics.calibration import (
    accuracy,
    adaptive_calibration_error,
    brier_score,
    classwise_calibration_error,
    expected_calibration_error,
    negative_log_likelihood,
)
from snnlab.metrics.early_exit import EarlyExit, Exits
from snnlab.metrics.over_time import CalibrationOverTime
from snnlab.metrics.recorder import FiringRate, Recorder, Statistic

__all__ = [
    "CalibrationOverTime",
    "EarlyExit",
    "Exits",
    "FiringRate",
    "Recorder",
    "Statistic",
    "accuracy",
    "adaptive_calibration_error",
    "brier_score",
    "classwise_calibration_error",
    "expected_calibration_error",
    "negative_log_likelihood",
]
