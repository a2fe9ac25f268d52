"""Neurons on the CPU: Python equations are traced, written as C++, built once for each machine, and called."""
