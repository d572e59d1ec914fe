"""Distance to the decision boundary by gradients, for the white-box bound of the paper's figure 2c.

The paper takes the attack of Carlini and Wagner (2017). Here it is DDN (Rony et al. 2019, "Decoupling Direction and
Norm", algorithm 1), which needs far fewer gradients. Knows nothing of membership.
"""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from tqdm import tqdm

from lmia.boundary.geometry import bisect, unit
from lmia.box import UNIT, Box
from lmia.journal import Journal
from lmia.memory_batches import Batches
from lmia.queries.oracle import LabelOracle

# In sizes of the box, which is 1 of [0, 1].
RADIUS, RATE = 1.0, 0.05  # the first radius, and by which share it changes in a step (section 4 of Rony et al.)
LENGTHS = 1.0, 0.01  # of the first and the last step along the gradient, with a half cosine between (ibid.)
HALVINGS = 10  # of the way from an input to its closest adversarial point, in labels, once all steps are done


def white_box_distances(
    model: torch.nn.Module,
    inputs: torch.Tensor,
    classes: np.ndarray | torch.Tensor,
    *,
    steps: int = 100,
    box: Box = UNIT,
    progress: str | None = None,
    journal: Journal | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Smallest L2 distance to another label around each input, with the model's gradients at hand.

    No number is drawn at random, and a row depends on the others only through the rounding of a forward pass.

    Args:
        model: Maps (m, *shape) to logits (m, n_classes); put in evaluation mode and, where it has convolutions, in
            channels-last memory order; its parameters get no gradients.
        inputs: Floats (n, *shape) in the box.
        classes: True classes, ints (n,).
        steps: Gradients per input, int >= 2, of which the first is taken at the input itself.
        box: Of the data set, which no search leaves.
        progress: Label of a progress bar on stderr, None for none.
        journal: Of these distances, whose searches go on after the last step there; None for none.

    Returns:
        (distance, n_queries): distance float64 (n, 1), in units of the inputs, 0 where the input is misclassified,
        inf where no other label was found; n_queries int64 (n, 1), gradients taken, 0 where the input is misclassified.
        The labels asked beside them are not counted.

    Raises:
        RuntimeError: Where the logits have no gradient in the inputs.
    """
    inputs, classes = as_asked(model, inputs, classes)
    batches, state = Batches(), _Progress(len(inputs), journal or Journal())

    def distances(rows: torch.Tensor) -> torch.Tensor:
        search = GradientSearch(model, inputs[rows], classes[rows], box)
        state.resume(search, rows)
        for _ in range(search.step, steps if len(rows) else 0):
            search.move(steps)
            state.save(search, rows)
        return search.distances()

    with tqdm(total=len(inputs), desc=progress, disable=progress is None, mininterval=2) as bar:
        for rows, right in rightly_classified(model, inputs, classes, box, batches, state.done):
            state.add(len(rows), right, batches.run(distances, right), steps)
            bar.update(len(rows))
    return state.finish()


def as_asked(
    model: torch.nn.Module, inputs: torch.Tensor, classes: np.ndarray | torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (n, *shape), in the model's precision, and classes, ints (n,), on its device.

    The model is put into evaluation mode and, where it has convolutions, in channels-last memory order.
    """
    model.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's hints
    parameter = next(model.parameters(), torch.empty(0))
    inputs = inputs.to(parameter.device, parameter.dtype)
    return inputs, torch.as_tensor(np.asarray(classes)).to(inputs.device)


def rightly_classified(
    model: torch.nn.Module, inputs: torch.Tensor, classes: torch.Tensor, box: Box, batches: Batches, start: int = 0
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yields (rows, those of them whose label is their class), ints, from `start` on, as many as are asked together.

    The rest are as `GradientSearch` has them; batches: where memory runs out, later ones are smaller.
    """

    def misclassified(rows: torch.Tensor) -> torch.Tensor:
        return GradientSearch(model, inputs[rows], classes[rows], box).misclassified()

    for rows in torch.arange(start, len(inputs)).split(LabelOracle.chunk(math.prod(inputs.shape[1:]), inputs.device)):
        yield rows, rows[~batches.run(misclassified, rows).cpu()]


class _Progress:
    """Distances of the first `done` of n inputs, kept in a journal with the search of the inputs after them."""

    def __init__(self, n: int, journal: Journal):
        self._journal, self._kept = journal, journal.get() or {}
        self._distance = np.array(self._kept.get("distance", np.zeros((n, 1))))
        self._n_queries = np.array(self._kept.get("n_queries", np.zeros((n, 1), dtype=np.int64)))
        self.done = int(self._kept.get("done", 0))

    def add(self, n: int, rows: torch.Tensor, distances: torch.Tensor, steps: int) -> None:
        """Note the next n inputs: distances (m,) of those of `rows` (m,), which took `steps`, and 0 of the others."""
        self._distance[rows] = distances[:, None].cpu().double().numpy()
        self._n_queries[rows] = steps
        self.done += n
        self._journal.save(self._to_arrays)

    def save(self, search: "GradientSearch", rows: torch.Tensor) -> None:
        """Note also where the search around the inputs `rows` stands."""
        self._journal.save(lambda: self._to_arrays() | {"rows": rows.numpy()} | search.to_arrays())

    def resume(self, search: "GradientSearch", rows: torch.Tensor) -> None:
        """Let the search go on from the journal, unless that was broken off in other rows, or between two searches."""
        if "rows" in self._kept and np.array_equal(self._kept["rows"], rows):
            search.restore(self._kept)

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """(distance, n_queries), all of them."""
        self._journal.finish(self._to_arrays())
        return self._distance, self._n_queries

    def _to_arrays(self) -> dict[str, np.ndarray]:
        return {"distance": self._distance, "n_queries": self._n_queries, "done": np.array(self.done)}


class GradientSearch:
    """Searches around correctly classified inputs, held flat, in lock step.

    Args:
        model: Maps (m, *shape) to logits (m, n_classes).
        inputs: Floats (m, *shape) in the box, where the model is and in its precision.
        classes: True classes, int64 tensor (m,), there too.
        box: Of the data set, which no point leaves.

    Attributes:
        step: Int, how many are done.
        point, closest: Floats (m, dim), where the searches stand, and the closest points with another label so far.
        best: Floats (m, 1), how far those are from the inputs, inf where there are none.
        radius: Floats (m, 1), how far from the inputs the next points are sought.
    """

    MOVING = ("point", "closest", "best", "radius")

    def __init__(self, model: torch.nn.Module, inputs: torch.Tensor, classes: torch.Tensor, box: Box):
        self.model, self.shape, self.classes, self.box = model, inputs.shape[1:], classes, box
        self.x = inputs.flatten(1)
        self.step, self.point, self.closest = 0, self.x, self.x
        self.best = self.x.new_full((len(self.x), 1), torch.inf)
        self.radius = torch.full_like(self.best, RADIUS * box.size)

    def move(self, steps: int) -> None:
        """One step of `steps`."""
        gradient, odds, crossed = self.gradient(self.point)
        self.note(crossed)
        self.radius = self.next_radius(gradient, odds, crossed, steps)
        # From where the point stands, inside the box, and not from the sum of all steps.
        offset, length = self.point - self.x, half_cosine(*LENGTHS, self.step, steps)
        direction = offset + length * self.box.size * unit(gradient)
        self.point = self.box.clip_(self.x + self.radius * unit(direction))
        self.step += 1

    def note(self, crossed: torch.Tensor) -> None:
        """Keep the points, where they have another label, bools (m, 1), and are the closest of those so far."""
        distance = torch.linalg.vector_norm(self.point - self.x, dim=1, keepdim=True)
        better = crossed & (distance < self.best)
        self.best = torch.where(better, distance, self.best)
        self.closest = torch.where(better, self.point, self.closest)

    def next_radius(
        self, gradient: torch.Tensor, odds: torch.Tensor, crossed: torch.Tensor, steps: int
    ) -> torch.Tensor:
        """The radius of the next points, floats (m, 1), of a search of so many steps; the rest is what `gradient` gave.

        DDN looks at who crossed alone.
        """
        return self.radius * torch.where(crossed, 1 - RATE, 1 + RATE)

    def distances(self) -> torch.Tensor:
        """(m,), of the closest points with another label, inf where there are none."""
        found = torch.linalg.vector_norm(self.offsets(), dim=1, keepdim=True)
        return torch.where(self.best.isinf(), self.best, found)[:, 0]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Where the searches stand, as named arrays; float64 holds the numbers of any model exactly."""
        moving = {f"search/{name}": getattr(self, name).cpu().double().numpy() for name in self.MOVING}
        return moving | {"step": np.array(self.step)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from what `to_arrays` gave."""
        for name in self.MOVING:
            setattr(self, name, torch.from_numpy(arrays[f"search/{name}"]).to(self.x))
        self.step = int(arrays["step"])

    def gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of points (m, dim): gradients (m, dim) of the log odds against the class, these (m, 1), and whether another
        label is theirs, bools (m, 1). Raises RuntimeError where the logits have no gradient in the points.
        """
        points = points.detach().requires_grad_()
        logits = self.logits(points)
        true = self.classes[:, None]
        # The gradient of the log odds has the direction of the cross-entropy's, and does not vanish where a probability
        # is rounded to 1, as overfitted models have it.
        odds = logits.scatter(1, true, -torch.inf).logsumexp(1, keepdim=True) - logits.gather(1, true)
        (gradients,) = torch.autograd.grad(odds.sum(), points)
        return gradients, odds.detach(), logits.detach().max(1, keepdim=True).indices != true

    def offsets(self) -> torch.Tensor:
        """From the inputs to the last points with another label on the way from the closest ones, (m, dim)."""
        offset = self.closest - self.x
        start, end = torch.ones_like(offset[:, :1]), torch.zeros_like(offset[:, :1])
        share = bisect(lambda share: self.crossed(torch.addcmul(self.x, offset, share)), start, end, HALVINGS)
        return share * offset

    def misclassified(self) -> torch.Tensor:
        """Which inputs have another label than their class, bools (m,)."""
        return self.crossed(self.x)

    @torch.inference_mode()
    def crossed(self, points: torch.Tensor) -> torch.Tensor:
        """Which points (m, dim) have another label, bools (m,)."""
        return self.logits(points).max(1).indices != self.classes

    def logits(self, points: torch.Tensor) -> torch.Tensor:
        """Of points (m, dim), (m, n_classes)."""
        points = points.view(-1, *self.shape)
        return self.model(points.contiguous(memory_format=torch.channels_last) if points.ndim == 4 else points)


def half_cosine(first: float, last: float, step: int, steps: int) -> float:
    """What goes from `first` to `last` over so many steps, at one of them."""
    return last + (first - last) * (1 + math.cos(math.pi * step / steps)) / 2
