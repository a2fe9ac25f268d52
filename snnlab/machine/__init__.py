"""What a process runs on: device, threads, memory, other processes, and signals."""
