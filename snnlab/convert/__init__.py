"""Quantised ANNs as spiking networks of mixed time steps."""
