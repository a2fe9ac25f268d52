"""A trained network measured: one pass, ranges of steps, noise, early exit, variants, speed."""
