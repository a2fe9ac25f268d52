"""The time step of each family of neurons as Triton functions: `fire` and `adjoint`."""
