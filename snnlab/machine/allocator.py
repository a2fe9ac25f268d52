"""Keeps freed memory with a training process: glibc would hand every large block back and fault it in again."""

import os
import platform

from snnlab.system import c_function

# Parameters of mallopt(3), as in <malloc.h>.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4

_state = "allocator as the system has it"


def keep_freed_memory() -> None:
    """Tells glibc to keep what is freed.

    By default glibc takes each block above 32 MiB from the kernel and returns it when it is freed. A training step
    allocates and frees tensors of that size all the time, and each of their pages is faulted in anew, which costs
    several times as much as the arithmetic on it. Afterwards blocks of any size come from the heap (M_MMAP_MAX
    0), which never shrinks (M_TRIM_THRESHOLD -1) and grows by 64 MiB at a time (M_TOP_PAD). The process holds the
    largest amount that it ever needed; loader workers, which are forked, do the same.

    Does nothing if the environment configures an allocator (MALLOC_..., GLIBC_TUNABLES, or another one by LD_PRELOAD),
    or on a system without glibc. It changes the whole process, so only commands call it, never the library.
    """
    global _state
    if chosen := _chosen_by_the_user():
        _state = f"allocator as set by {chosen}"
    elif platform.libc_ver()[0] == "glibc" and (mallopt := c_function("mallopt")) is not None:
        settings = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1), (_TOP_PAD, 1 << 26))
        if all(mallopt(parameter, value) for parameter, value in settings):
            _state = "allocator keeps freed memory"


def allocator_state() -> str:
    """What this process's allocator does, for logs."""
    return _state


def _chosen_by_the_user() -> str:
    names = [name for name in os.environ if name.startswith("MALLOC_")]
    if "glibc.malloc." in os.environ.get("GLIBC_TUNABLES", ""):
        names.append("GLIBC_TUNABLES")
    if "malloc" in os.environ.get("LD_PRELOAD", ""):
        names.append("LD_PRELOAD")
    return ", ".join(sorted(names))
