"""Training runs: folders, processes, trainers, and the record that a run leaves."""
