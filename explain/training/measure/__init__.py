"""Figures of models from arrays, and what is written about them: cards, tables, charts. Loads no model."""
