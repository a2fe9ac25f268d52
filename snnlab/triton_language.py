"""Triton's language if it is installed, for files that define functions for kernels.

`jit` marks such a function. Without Triton (it exists for Linux only) it stays an ordinary function that nobody
calls, so that neurons and surrogates can be imported and used on any machine.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["INTERPRETED", "jit", "tl", "triton"]

try:
    import triton
    import triton.language as tl
except ImportError:
    triton, tl = None, None


def jit(function: Callable[..., Any]) -> Any:
    """Marks a function that kernels may call; it may use `tl`, numbers and other marked functions."""
    if triton is None:
        return function
    function.__globals__.setdefault("tl", tl)  # the interpreter looks for it in the module of every function
    return triton.jit(function)


INTERPRETED = triton is not None and not isinstance(jit(jit), triton.JITFunction)
"""Triton's interpreter runs the kernels, on the CPU: TRITON_INTERPRET=1 stood there at the first import."""
