"""Query sets that are known in advance, one module per kind.

A module defines `Perturbation(**options)` with

- `unit`: what its magnitudes count, for axes and tables ("degrees"),
- `magnitudes`: list of floats, one per query column, the magnitude that the column belongs to,
- `blocks(inputs, streams)`: yields tensors (n, k, *shape) of k >= 1 consecutive query columns, values in [0, 1].

The queries of an example are a function of that example, the options and its own random stream alone.
"""
