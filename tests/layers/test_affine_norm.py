"""Normalisations read as a factor and a constant for each channel."""

import pytest
import torch

from snnlab.layers.affine_norm import affine_of
from snnlab.norms import BN, TDBN


@pytest.mark.parametrize("make", [BN, lambda c: TDBN(c, 1.0)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_the_norm_in_evaluation_mode_which_stays_as_it_was(make, dtype):
    norm = make(5)
    with torch.no_grad():
        for values in (norm.bn.running_mean, norm.bn.running_var, norm.bn.weight, norm.bn.bias):
            values.uniform_(0.5, 2)
    factor_C, constant_C = affine_of(norm, 5, dtype)
    assert norm.training
    assert norm.bn.weight.dtype == torch.float32
    assert factor_C.dtype == constant_C.dtype == dtype
    x_TBCHW = torch.randn(3, 2, 5, 4, 4)
    expected = factor_C.float().view(-1, 1, 1) * x_TBCHW + constant_C.float().view(-1, 1, 1)
    torch.testing.assert_close(norm.eval()(x_TBCHW), expected)
