"""The commands of `snnlab`, one file each: the first line is the help text; `EXAMPLES`, `add_arguments`, `run`."""
