"""Composing and checking of configurations; knows nothing of torch."""
