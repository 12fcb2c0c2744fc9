"""One of each kind that a distribution can add to explain."""
