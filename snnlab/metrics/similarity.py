"""Similarity of two images.

Shape suffixes: B samples, H height, W width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03


def structural_similarity(one_BHW: Tensor, other_BHW: Tensor) -> Tensor:
    """Returns the structural similarity (SSIM) [B] of grey images with values from 0 to 1.

    mean over the image of (2 m1 m2 + c1) (2 cov + c2) / ((m1^2 + m2^2 + c1) (var1 + var2 + c2)), with means,
    variances and covariance under a Gaussian window of 11 x 11 pixels and sigma 1.5 (Wang et al. 2004). Positions
    where the window exceeds the image do not count. For images smaller than the window it has the size of the image.

    Raises:
        ValueError: the shapes differ.
    """
    if one_BHW.shape != other_BHW.shape or one_BHW.ndim != 3:
        raise ValueError(f"two of [B, H, W] expected, not {list(one_BHW.shape)} and {list(other_BHW.shape)}")
    window = _window(min(WINDOW, *one_BHW.shape[1:])).to(one_BHW)

    def mean(x_BHW: Tensor) -> Tensor:
        return F.conv2d(x_BHW[:, None], window[None, None])[:, 0]

    m1, m2 = mean(one_BHW), mean(other_BHW)
    var1, var2 = mean(one_BHW**2) - m1**2, mean(other_BHW**2) - m2**2
    cov = mean(one_BHW * other_BHW) - m1 * m2
    c1, c2 = K1**2, K2**2
    alike = (2 * m1 * m2 + c1) * (2 * cov + c2) / ((m1**2 + m2**2 + c1) * (var1 + var2 + c2))
    return alike.flatten(1).mean(1)


def _window(size: int) -> Tensor:
    place = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    line = torch.exp(-(place**2) / (2 * SIGMA**2))
    return torch.outer(line, line) / line.sum() ** 2
