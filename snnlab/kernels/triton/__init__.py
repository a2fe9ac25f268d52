"""Neurons on a GPU: one Triton kernel over all time steps, and one for the way back."""
