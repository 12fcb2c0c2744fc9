"""Capabilities of models beyond predicting: attention, neurons and vectors, one file each.

Each class here is the base of what a model has, and the whole of what a model has that lacks it: its methods raise a
`ModelError` that says why.
"""
