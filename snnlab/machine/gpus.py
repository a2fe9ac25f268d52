"""Which of the GPUs that a command names are not there."""

import os
from collections.abc import Sequence

import torch


def absent(gpus: Sequence[int]) -> str:
    """Why GPUs of these numbers cannot be used, in words; empty if they can, as far as is known without using them."""
    if not torch.cuda.is_available():
        return "PyTorch finds no GPU on this machine"
    count = torch.cuda.device_count()
    # Numbers count all GPUs of the machine, and PyTorch those that the variable leaves.
    if "CUDA_VISIBLE_DEVICES" not in os.environ and (beyond := [one for one in gpus if one >= count]):
        return f"this machine has {count}, numbered from 0, and no GPU {beyond[0]}"
    return ""
