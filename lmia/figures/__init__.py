"""Figures, one module per kind, each with a pure `plot(...)` that returns a matplotlib Figure."""
