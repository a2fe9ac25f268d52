"""Metrics: accuracy and calibration, overall or at each time step, and measurements inside a network."""

from snnlab.metrics.calibration import (
    accuracy,
    adaptive_calibration_error,
    brier_score,
    classwise_calibration_error,
    expected_calibration_error,
    negative_log_likelihood,
)
from snnlab.metrics.early_exit import EarlyExit, Exits
from snnlab.metrics.energy import (
    CONVENTIONS,
    Convention,
    LayerCost,
    TotalCost,
    ac_energy,
    costs,
    mac_energy,
    total,
)
from snnlab.metrics.operations import LayerOperations, OperationCounter
from snnlab.metrics.over_time import CalibrationOverTime
from snnlab.metrics.potentials import GradientSupport, Potentials
from snnlab.metrics.quantities import quantities
from snnlab.metrics.recorder import FiringRate, LevelShares, Recorder, Statistic

__all__ = [
    "CONVENTIONS",
    "CalibrationOverTime",
    "Convention",
    "EarlyExit",
    "Exits",
    "FiringRate",
    "GradientSupport",
    "LayerCost",
    "LayerOperations",
    "LevelShares",
    "OperationCounter",
    "Potentials",
    "Recorder",
    "Statistic",
    "TotalCost",
    "ac_energy",
    "accuracy",
    "adaptive_calibration_error",
    "brier_score",
    "classwise_calibration_error",
    "costs",
    "expected_calibration_error",
    "mac_energy",
    "negative_log_likelihood",
    "quantities",
    "total",
]
