"""Penalties on internal quantities of a network, which a loss of its logits does not depend on."""

from snnlab.registry import lazy_package

__getattr__, __dir__ = lazy_package(__name__)
