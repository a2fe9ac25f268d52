"""What a family of neurons does in a step, as Triton functions: `fire` and `adjoint`."""
