"""Distance to the decision boundary by gradients, for the white-box bound of the paper's figure 2c.

The paper takes the attack of Carlini and Wagner (2017). Here it is DDN (Rony et al. 2019, "Decoupling Direction and
Norm", algorithm 1), which needs far fewer gradients. Knows nothing of membership.
"""

import math

import numpy as np
import torch
from tqdm import tqdm

from lmia.batching import Batches
from lmia.journal import Journal
from lmia.queries.oracle import LabelOracle

RADIUS, RATE = 1.0, 0.05  # the first radius, and by which share it changes in a step (section 4 of Rony et al.)
LENGTHS = 1.0, 0.01  # of the first and the last step along the gradient, with a half cosine between (ibid.)
HALVINGS = 10  # of the way from an input to its closest adversarial point, in labels, once all steps are done


def white_box_distances(model, inputs, classes, *, steps=100, progress=None, journal=None):
    """Smallest L2 distance to another label around each input, with the model's gradients at hand.

    model: torch.nn.Module mapping (m, *shape) to logits (m, n_classes), put in evaluation mode and, where it has
    convolutions, in channels-last memory order; its parameters get no gradients; inputs: floats (n, *shape) in [0, 1];
    classes: true classes, ints (n,); steps: gradients per input, int >= 2, of which the first is taken at the input
    itself; progress: label of a progress bar on stderr, None for none; journal: Journal of these distances, whose
    searches go on after the last step there, None for none.

    Returns (best, spent): best float64 (n, 1), in pixel units of [0, 1], 0 where the input is misclassified, inf where
    no other label was found; spent int64 (n, 1), gradients taken, 0 where the input is misclassified. The labels asked
    beside them are not counted.

    Raises RuntimeError where the logits have no gradient in the inputs. No number is drawn at random, and a row depends
    on the others only through the rounding of a forward pass.
    """
    model = model.eval().to(memory_format=torch.channels_last)
    parameter = next(model.parameters(), torch.empty(0))
    inputs = inputs.to(parameter.device, parameter.dtype)
    classes = torch.as_tensor(np.asarray(classes)).to(inputs.device)
    best, spent = np.zeros((len(inputs), 1)), np.zeros((len(inputs), 1), dtype=np.int64)
    batches, journal, done = Batches(), journal or Journal(), 0
    if kept := journal.get() or {}:
        best, spent, done = kept["best"].copy(), kept["spent"].copy(), int(kept["done"])

    def search(rows):
        return _Search(model, inputs[rows], classes[rows])

    def state():
        return {"best": best, "spent": spent, "done": np.array(done)}

    def follow(rows):
        searching = search(rows)
        if np.array_equal(kept.get("rows"), rows):  # else it was broken off in other rows, or between two searches
            searching.restore(kept)
        for _ in range(searching.step, steps if len(rows) else 0):
            searching.move(steps)
            journal.save(lambda: state() | {"rows": rows.numpy()} | searching.to_arrays())
        return searching.distances()

    with tqdm(total=len(inputs), desc=progress, disable=progress is None, mininterval=2) as bar:
        most = LabelOracle.chunk(math.prod(inputs.shape[1:]), inputs.device)
        for rows in torch.arange(done, len(inputs)).split(most):
            right = rows[~batches.run(lambda rows: search(rows).misclassified(), rows).cpu()]
            found = batches.run(follow, right)
            best[right] = found[:, None].cpu().double().numpy()
            spent[right] = steps
            bar.update(len(rows))
            done += len(rows)
            journal.save(state)
    journal.finish(state())
    return best, spent


class _Search:
    """Searches around correctly classified inputs (m, *shape), held flat, in lock step.

    step: int, how many are done.
    """

    MOVING = ("point", "closest", "best", "radius")

    def __init__(self, model, inputs, classes):
        self.model, self.shape, self.classes = model, inputs.shape[1:], classes
        self.x = inputs.flatten(1)
        self.step, self.point, self.closest = 0, self.x, self.x
        self.best = self.x.new_full((len(self.x), 1), torch.inf)
        self.radius = torch.full_like(self.best, RADIUS)

    def move(self, steps):
        """One step of `steps`."""
        gradient, crossed = self.gradient(self.point)
        offset = self.point - self.x
        distance = torch.linalg.vector_norm(offset, dim=1, keepdim=True)
        better = crossed & (distance < self.best)
        self.best = torch.where(better, distance, self.best)
        self.closest = torch.where(better, self.point, self.closest)
        self.radius = self.radius * torch.where(crossed, 1 - RATE, 1 + RATE)
        # From where the point stands, inside the box, and not from the sum of all steps.
        direction = offset + _length(self.step, steps) * _unit(gradient)
        self.point = (self.x + self.radius * _unit(direction)).clamp_(0, 1)
        self.step += 1

    def distances(self):
        """(m,), of the closest points with another label, inf where there are none."""
        return torch.where(self.best.isinf(), self.best, self.on_boundary(self.closest))[:, 0]

    def to_arrays(self):
        """Where the searches stand, as named arrays; float64 holds the numbers of any model exactly."""
        moving = {f"search/{name}": getattr(self, name).cpu().double().numpy() for name in self.MOVING}
        return moving | {"step": np.array(self.step)}

    def restore(self, arrays):
        """Go on from what `to_arrays` gave."""
        for name in self.MOVING:
            setattr(self, name, torch.from_numpy(arrays[f"search/{name}"]).to(self.x))
        self.step = int(arrays["step"])

    def gradient(self, points):
        """(gradients (m, dim), whether points (m, dim) have another label, bools (m, 1))."""
        points = points.detach().requires_grad_()
        logits = self.logits(points)
        own = self.classes[:, None]
        # The log odds against the class. Their gradient has the direction of the cross-entropy's, and does not vanish
        # where a probability is rounded to 1, as overfitted models have it.
        odds = logits.scatter(1, own, -torch.inf).logsumexp(1, keepdim=True) - logits.gather(1, own)
        (gradients,) = torch.autograd.grad(odds.sum(), points)
        return gradients, logits.detach().max(1, keepdim=True).indices != own

    def on_boundary(self, points):
        """Distances (m, 1) of the last points with another label on the way from `points` (m, dim) to the inputs."""
        offset = points - self.x
        inside, outside = torch.zeros_like(offset[:, :1]), torch.ones_like(offset[:, :1])
        for _ in range(HALVINGS if len(offset) else 0):
            middle = (inside + outside) / 2
            crossed = self.crossed(torch.addcmul(self.x, offset, middle))[:, None]
            inside, outside = torch.where(crossed, inside, middle), torch.where(crossed, middle, outside)
        return torch.linalg.vector_norm(outside * offset, dim=1, keepdim=True)

    def misclassified(self):
        """Which inputs have another label than their class, bools (m,)."""
        return self.crossed(self.x)

    @torch.inference_mode()
    def crossed(self, points):
        """Which points (m, dim) have another label, bools (m,)."""
        return self.logits(points).max(1).indices != self.classes

    def logits(self, points):
        points = points.view(-1, *self.shape)
        return self.model(points.contiguous(memory_format=torch.channels_last) if points.ndim == 4 else points)


def _length(step, steps):
    first, last = LENGTHS
    return last + (first - last) * (1 + math.cos(math.pi * step / steps)) / 2


def _unit(vectors):
    return vectors / torch.linalg.vector_norm(vectors, dim=1, keepdim=True).clamp_min(1e-30)
