"""The allocator of a training process: what it keeps, whom it leaves alone, what the log says."""

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import torch
from snnlab.machine import allocator
if {keep}:
    allocator.keep_freed_memory()
size = 10 << 20  # 40 MiB of floats, above glibc's largest threshold
for _ in range(12):  # the heap takes a few rounds to find its size
    torch.ones(size)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    torch.ones(size)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(allocator.allocator_state())
"""


def faults(keep: bool, **environment: str) -> tuple[int, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    program = PROGRAM.format(keep=keep)
    done = subprocess.run(
        [sys.executable, "-c", program], env=kept | environment, capture_output=True, text=True, check=True
    )
    count, state = done.stdout.splitlines()
    return int(count), state


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="not glibc")
def test_large_blocks_are_faulted_in_once() -> None:
    kept, state = faults(keep=True)
    assert kept < 100
    assert state == "allocator keeps freed memory"
    returned, state = faults(keep=False)
    assert returned > 10 * max(kept, 10)
    assert state == "allocator as the system has it"


def test_settings_of_the_user_are_left_alone() -> None:
    _, state = faults(keep=True, MALLOC_ARENA_MAX="2")
    assert state == "allocator as set by MALLOC_ARENA_MAX"


def test_importing_the_library_changes_nothing() -> None:
    program = (
        "import snnlab.train.recipe; from snnlab.machine import allocator as a; print(a.allocator_state())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "allocator as the system has it"
