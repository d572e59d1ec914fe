"""Query sets that are known in advance, one module per kind.

A module defines `Perturbation(**options)` with

- `unit`: what its magnitudes count, for axes and tables ("degrees"),
- `magnitudes`: list of floats, one per query column, the magnitude that the column belongs to,
- `blocks(inputs, streams)`: yields tensors (n, k, *shape) of k >= 1 consecutive query columns, values in [0, 1],
  or in the box of the data set, which an option `box` is given.

Inputs are where the model is, or on the CPU; blocks may be anywhere. The queries of an example are a function of that
example, the options and its own random stream alone.
"""

BLOCK_VALUES = 1 << 14  # of one example's part of a block: some examples' parts together then fit a core's cache


def columns(size: int, samples: int) -> list[int]:
    """Sizes k of consecutive blocks that together hold `samples` perturbations of an input of `size` values.

    They depend on one example alone, as what is drawn from its stream may depend on nothing else.
    """
    largest = max(1, min(samples, BLOCK_VALUES // size))
    return [min(largest, samples - done) for done in range(0, samples, largest)]
