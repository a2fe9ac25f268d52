"""The analyses of `snnlab analyse`: one file per analysis, which measures, draws and writes the numbers."""
