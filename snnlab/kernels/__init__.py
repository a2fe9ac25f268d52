"""Fast back ends of the neurons' recurrence, and the choice among them."""

from snnlab.kernels._backend import BackendError, Call, backend, counts, ran, use_backend

__all__ = ["BackendError", "Call", "backend", "counts", "ran", "use_backend"]
