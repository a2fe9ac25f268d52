"""The run directory: its identity, its files, checkpoints and results."""
