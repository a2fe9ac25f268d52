"""The process and its machine: device, threads, memory, other processes, and signals."""
