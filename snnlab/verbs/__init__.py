"""The commands of `snnlab`, one file each: its first line is the help; EXAMPLES, add_arguments, run."""
