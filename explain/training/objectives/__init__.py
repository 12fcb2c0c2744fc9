"""Kinds of task to train on: features, loss, fitted parameters, figures; a file for each."""
