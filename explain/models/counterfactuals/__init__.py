"""The search for counterfactual edits: fillers from masked words, sets of edits, and what is certified about them."""
