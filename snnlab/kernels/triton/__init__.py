"""Neurons on a GPU: one Triton kernel for the forward pass over all time steps, one for the backward pass."""
