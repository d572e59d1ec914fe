"""Figures, one module per kind, each with a pure `plot(...)` that returns a figure and its caption's lines."""
