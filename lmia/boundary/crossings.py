"""Points next to the decision boundary by few gradients: where models of the attacker's own change their label."""

import math

import numpy as np
import torch

from lmia.boundary.white_box import GradientSearch, as_asked, half_cosine, rightly_classified
from lmia.box import UNIT, Box
from lmia.memory_batches import Batches

STEPS = 10  # gradients around each input
GROWTH = 2.0  # of the radius, as long as no point of a search has another label
RATES = 0.2, 0.02  # by which share the radius changes afterwards, in the first and the last step
SMALLEST = 1e-4  # first radius, in sizes of the box


def closest_crossings(
    model: torch.nn.Module, inputs: torch.Tensor, classes: np.ndarray | torch.Tensor, *, box: Box = UNIT
) -> tuple[torch.Tensor, np.ndarray]:
    """The nearest points with another label, and how far they are.

    DDN (see `lmia.boundary.white_box`) with radii that find the boundary sooner: the first is where the log odds
    against the class, linear at the input, are even (for two classes DeepFool's step, Moosavi-Dezfooli et al. 2016),
    and doubles until a point has another label. Designed on digits and ten classes of CIFAR-100
    (benchmarks/results/crossings.csv).

    Args:
        model: Maps (m, *shape) to logits (m, n_classes); put in evaluation mode and, where it has convolutions, in
            channels-last memory order; its parameters get no gradients.
        inputs: Floats (n, *shape) in the box.
        classes: True classes, ints (n,).
        box: Of the data set, which no point leaves.

    Returns:
        (points, distance): points (n, *shape), the input itself where it is misclassified, or where no other label was
        found; distance float64 (n,), 0 and inf there.

    Raises:
        RuntimeError: Where the logits have no gradient in the inputs.
    """
    inputs, classes = as_asked(model, inputs, classes)
    batches, points = Batches(), inputs.clone()
    distance = np.zeros(len(inputs))

    def offsets(rows: torch.Tensor) -> torch.Tensor:
        search = _Search(model, inputs[rows], classes[rows], box)
        for _ in range(STEPS):
            search.move(STEPS)
        search.note(search.crossed(search.point)[:, None])
        return torch.where(search.best.isinf(), torch.inf, search.offsets())

    for _, right in rightly_classified(model, inputs, classes, box, batches):
        if len(right):
            found = batches.run(offsets, right)
            distance[right.numpy()] = torch.linalg.vector_norm(found, dim=1).cpu().double().numpy()
            points[right] += torch.where(found.isinf(), 0, found).view(-1, *inputs.shape[1:])
    return points, distance


class _Search(GradientSearch):
    def next_radius(
        self, gradient: torch.Tensor, odds: torch.Tensor, crossed: torch.Tensor, steps: int
    ) -> torch.Tensor:
        if self.step == 0:
            linear = odds.abs() / torch.linalg.vector_norm(gradient, dim=1, keepdim=True).clamp_min(1e-30)
            return linear.clamp(SMALLEST * self.box.size, self.box.size * math.sqrt(self.x.shape[1]))  # the diagonal
        rate = half_cosine(*RATES, self.step, steps)
        growth = torch.where(self.best.isinf(), GROWTH, 1 + rate)
        return self.radius * torch.where(crossed, 1 - rate, growth).to(self.radius)
