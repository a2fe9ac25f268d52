"""The neuron update: its contract, the reference in plain PyTorch, faster back ends, and the choice among them."""

from snnlab.kernels.choose import BackendError, backend, counts, ran, use_backend
from snnlab.kernels.contract import Call

__all__ = ["BackendError", "Call", "backend", "counts", "ran", "use_backend"]
