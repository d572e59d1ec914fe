"""What the queries of a boundary search are spent on."""

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Schedule:
    """How one step of the search probes the boundary and moves along it.

    initial_probes: gradient probes of the first step, int >= 2; growth: the t-th step sends t**growth times as many;
    radius: of the probes, as a share of the distance to the input; None for the authors' rule, a tenth of the value
    range in the first step and distance / dim from then on; on_sphere: all probes at that distance, before clipping,
    and not only their root mean square; grid: probes have low spatial frequencies, of g x g points
    enlarged to the image; None for white noise; memory: how much of the last direction joins the present one, in
    [0, 1); move: "jump" along the direction and back to the boundary on a straight line (Chen et al. 2019, algorithm
    2), or "arc": to the boundary on the half-circle over the segment from the input to the point (Reza et al. 2023);
    halvings: bisections of one walk to the boundary, None for down to 1 / dim^1.5 of the distance (section 4.2 of
    Chen et al.), in low dimensions to a thousandth.
    """

    initial_probes: int = 100
    growth: float = 0.5
    radius: float | None = None
    on_sphere: bool = False
    grid: int | None = None
    memory: float = 0.0
    move: str = "jump"
    halvings: int | None = None

    def halvings_in(self, dim: int) -> int:
        """Bisections of one walk to the boundary, of inputs with `dim` values."""
        return self.halvings or max(10, math.ceil(1.5 * math.log2(dim)))


# As Chen, Jordan and Wainwright (2019) publish it; docs/explanation/search.md says where the implementation is finite.
PUBLISHED = Schedule(on_sphere=True)
# Fewer queries for the same answer: the order of the distances is what an attack needs, and it settles long before
# the distances do. Designed on CIFAR-100 and on digits of other seeds (benchmarks/results/schedules.md).
ECONOMICAL = Schedule(initial_probes=20, growth=0.25, radius=0.1, grid=8, memory=0.5, move="arc", halvings=6)
# The same in finer steps, for searches that start next to the boundary: there few probes already bring a search on.
WARM = replace(ECONOMICAL, initial_probes=10, halvings=4)

SCHEDULES = {"published": PUBLISHED, "economical": ECONOMICAL, "warm": WARM}
