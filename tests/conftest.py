"""What has to be so before anything is imported or started: Triton's interpreter without a GPU, and Ctrl-C."""

import os
import signal

import torch

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

os.environ["WANDB_MODE"] = "disabled"  # the default, logger=wandb, is tried in tests/dashboards

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores Ctrl-C, and so would every process that a test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
