"""The library: runs and single explanations that are kept, with names, notes, links and an end."""
