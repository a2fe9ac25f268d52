"""What happens to a run and its files when something goes wrong: damaged, killed, full, hostile."""
