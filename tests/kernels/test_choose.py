"""The choice of a back end: what is asked for, what covers a call, what is said."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from snnlab.kernels import BackendError, backend, choose, counts, ran, use_backend
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
    with backend("auto") as outside:
        with backend("eager") as inside:
            LIF()(torch.randn(2, 5))
            assert counts() == inside.counts == {"eager": 1}
            assert ran() == "eager 100 %"
            assert not outside.counts
        assert counts() == outside.counts == {"eager": 1}


def test_a_choice_ends_with_its_block_and_keeps_what_it_does_not_name() -> None:
    said: list[str] = []
    with backend("auto", said.append, fuse=False):
        with backend("eager") as inside:
            assert not inside.fuse
            inside.say("a warning")
        use_backend("compiled")
        assert not counts()
    assert said == ["a warning"]
    with backend("eager") as after:
        assert after.fuse


def test_a_backward_pass_in_another_thread_needs_no_choice() -> None:
    """Autograd has threads of its own on a GPU, in which nothing was chosen."""
    x_T, grads = torch.randn(3, 400), []
    for name in ("compiled", "eager"):
        leaf = x_T.clone().requires_grad_()
        with backend(name) as choice:  # type: ignore[arg-type]
            loss = LIF()(leaf).sum()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(loss.backward).result()
        assert choice.counts == {name: 1}
        grads.append(leaf.grad)
    torch.testing.assert_close(*grads)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="compiled"):
        use_backend("cuda")  # type: ignore[arg-type]
