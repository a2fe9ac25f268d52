"""CUDA graphs: work is recorded on tensors that stay where they are, replayed and counted."""
