"""Queries of a frozen model through one oracle, of points that are known in advance."""
