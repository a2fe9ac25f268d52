"""Sweeps: many points of one command, each in a process of its own, and their table."""
