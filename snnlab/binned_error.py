"""The sum over bins in all calibration errors, for PyTorch tensors and NumPy arrays."""

from typing import Any


def binned_error(gap_sums_M: Any, count: float) -> Any:
    """`1/N sum_m |sum of confidence - correctness over the samples of bin m|`.

    Args:
        gap_sums_M: the sums of each bin [..., M], a tensor or an array; NaN makes the error NaN.
        count: number of samples N, those in no bin included.

    Returns:
        The errors [...].
    """
    return abs(gap_sums_M).sum(-1) / count
