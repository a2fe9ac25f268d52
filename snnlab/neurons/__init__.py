"""One file per component; `from snnlab.neurons import X` finds `x.py` by its name."""

from snnlab.registry import lazy_package

__getattr__, __dir__ = lazy_package(__name__)
