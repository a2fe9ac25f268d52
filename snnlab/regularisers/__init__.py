"""Penalties on the inside of a network, which a loss of its logits cannot see."""

from snnlab.regularisers.pnb import PNB

__all__ = ["PNB"]
