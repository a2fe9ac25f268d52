"""The choice of a back end: what is asked for, what covers a call, what is said."""

import warnings

import pytest
import torch

from snnlab.kernels import BackendError, backend, choose, counts, use_backend
from snnlab.neurons import LIF


def test_a_back_end_that_is_not_there_is_an_error_only_if_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "_MODULES", {"triton": "snnlab.kernels.not_there"})
    x_T = torch.randn(2, 5)
    with backend("triton"), pytest.raises(BackendError, match="triton"):
        LIF()(x_T)
    with backend("auto"), warnings.catch_warnings():
        warnings.simplefilter("error")
        LIF()(x_T)


def test_what_ran_is_counted() -> None:
    before = counts["eager"]
    with backend("eager"):
        LIF()(torch.randn(2, 5))
    assert counts["eager"] == before + 1


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="compiled"):
        use_backend("cuda")  # type: ignore[arg-type]
