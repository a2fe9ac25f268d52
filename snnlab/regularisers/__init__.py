"""Penalties on the inside of a network, which a loss of its logits cannot see."""

from snnlab.registry import lazy_package

__getattr__, __dir__ = lazy_package(__name__)
