"""What has to be so before anything is imported or started: Triton's interpreter without a GPU, asserts, and Ctrl-C."""

import os
import signal
from collections.abc import Iterator

import pytest
import torch

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

pytest.register_assert_rewrite("tests.train.compared_steps")  # so that what differs is shown

os.environ["WANDB_MODE"] = "disabled"  # the default, logger=wandb, is tried in tests/dashboards

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores Ctrl-C, and so would every process that a test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def same_algorithms(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same algorithms every time on a GPU, or bits differ between two runs of one test."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    benchmark = torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    yield
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = benchmark
