"""What `snnlab analyse` can do with a run: one file per analysis, which measures, draws and writes the numbers."""
