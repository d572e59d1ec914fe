"""The box that inputs lie in: how far each feature may go, whoever changes it.

Images and tables of zeros and ones lie in [0, 1]. A table of standardised features has a range for each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

Tensor = Any  # torch.Tensor, which those who read answers must not import


@dataclass(frozen=True, eq=False)
class Box:
    """low, high: the ends of the range of each feature, (features,), or one number each for all features.

    They are kept as float64, which holds the float32 of inputs exactly. Raises ValueError where they are not finite,
    not of one shape, or not in this order.
    """

    low: Any = 0.0
    high: Any = 1.0

    def __post_init__(self) -> None:
        low, high = (np.asarray(end, np.float64) for end in (self.low, self.high))
        if low.shape != high.shape or low.ndim > 1 or not (np.isfinite([low, high]).all() and (low <= high).all()):
            raise ValueError(f"box: expected finite low <= high, (features,) each, got {self.low} and {self.high}")
        for name, end in (("low", low), ("high", high)):
            object.__setattr__(self, name, end if end.ndim else float(end))  # numbers are the fastest to clip to

    @classmethod
    def around(cls, inputs: np.ndarray) -> Self:
        """The smallest box with all of a table's inputs, floats (n, features)."""
        return cls(inputs.min(axis=0), inputs.max(axis=0))

    @property
    def size(self) -> float:
        """The root mean square of the ranges, a unit of length: 1 of [0, 1]."""
        return float(np.sqrt(np.mean(np.square(np.subtract(self.high, self.low)))))

    @property
    def largest(self) -> float:
        """The greatest magnitude of a value."""
        return float(np.max(np.abs([self.low, self.high])))

    def at(self, shares: np.ndarray) -> np.ndarray:
        """Points (..., features) of the dtype of `shares`, which say how far each feature is from `low` to `high`."""
        return (self.low + np.subtract(self.high, self.low) * shares).astype(shares.dtype, copy=False)

    def clip_(self, values: Tensor) -> Tensor:
        """Values (..., features), with what lies outside moved to the nearest end, in place."""
        if isinstance(self.low, float):
            return values.clamp_(self.low, self.high)
        return values.clamp_(values.new_tensor(self.low), values.new_tensor(self.high))

    def mirrored(self, values: Tensor, features: Tensor) -> Tensor:
        """Values (m,) as seen from the other end: `low` becomes `high`, and x of [0, 1] becomes 1 - x.

        features: of which each is, ints (m,).
        """
        if isinstance(self.low, float):
            return self.low + self.high - values
        ends = values[:0].double().new_tensor(self.low + self.high)
        return (ends[features] - values).to(values.dtype)  # rounded once, so that an end becomes the other end

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Named arrays."""
        return {"low": np.asarray(self.low), "high": np.asarray(self.high)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Box":
        """What `to_arrays` gave; [0, 1] where arrays have no box."""
        return cls(arrays["low"], arrays["high"]) if "low" in arrays else UNIT


UNIT = Box()
