"""Neurons on the CPU: the Python equations are traced, translated to C++, and compiled once for each machine."""
