"""All tensors follow the models where queries are crafted, searches begin elsewhere, and answers are masked."""

from functools import partial

import numpy as np
import pytest
import torch

from lmia.boundary.fixed_directions import as_levels, points_of, search_directions
from lmia.boundary.random_inputs import search_random_inputs
from lmia.boundary.references import reference_crossings
from lmia.boundary.search import search_boundary
from lmia.boundary.white_box import white_box_distances
from lmia.box import Box
from lmia.crafting import oslo, yoqo
from lmia.defenses import (
    hamp,
    l2,
    label_smoothing,
    ldl,
    memguard,
    rounding,
    top_k,
    transfer,
    weight_decay,
)
from lmia.models import cnn, mlp
from lmia.models.voting import Voting
from lmia.perturbations import augmented, bernoulli, gaussian, mixed, rotation, translation
from lmia.queries import noise_table
from lmia.queries.confidences import query_confidences
from lmia.queries.fixed_queries import ask_crafted, ask_fixed
from lmia.queries.references import ask_references
from lmia.streams import stream, streams
from lmia.training.loop import train
from lmia.training.options import TrainingOptions
from tests.second_device import second_device

CPU = torch.device("cpu")
IMAGES = torch.rand(24, 1, 8, 8, generator=torch.Generator().manual_seed(0))
CLASSES = np.arange(24) % 3
ROWS = IMAGES.flatten(1)[:, :6] * 3 - 1
BOX = Box.around(ROWS.numpy())
BUILD = partial(cnn.build, channels=[4], convolutions=1, dense=8)


def network(device, seed=0, of_rows=False):
    torch.manual_seed(seed)
    return (mlp.build((6,), 3) if of_rows else BUILD((1, 8, 8), 3)).eval().to(device)


def drawn(*copy):
    return streams(0, f"a{copy}", range(24))


def voting(device, of_rows=False):
    shape, box = ((6,), BOX) if of_rows else ((1, 8, 8), Box())
    return Voting(network(CPU, of_rows=of_rows), shape, 0.2, 5, box).to(device).eval()


def craft_yoqo(device, **options):
    is_in = np.zeros((4, 24), dtype=bool)
    is_in[::2] = True
    models = [network(device, seed) for seed in range(4)]
    return yoqo.Crafting(steps=3, **options).craft(models, is_in, IMAGES, CLASSES)


def craft_oslo(device, of_rows=False):
    models, box = [network(device, seed, of_rows) for seed in range(3)], {"box": BOX} if of_rows else {}
    crafting = oslo.Crafting(levels=3, steps=2, sources=2, validators=1)
    return crafting.craft(models, np.zeros((3, 24), dtype=bool), (ROWS if of_rows else IMAGES).clone(), CLASSES, **box)


def warm(device):
    others = [(np.arange(12), [network(device, 1), network(device, 2)]), (np.arange(12, 20), [network(device, 3)])]
    crossings, distances = reference_crossings(others, IMAGES, CLASSES)
    start = {"crossings": crossings, "pool": (IMAGES.flip(0), CLASSES[::-1].copy()), "shift_pixels": 1}
    found = search_boundary(network(device), IMAGES, CLASSES, drawn, budget=80, schedule="warm", **start)
    return [crossings.numpy(), distances, *found[:2]]


def warm_in_a_box(device):
    others = [(np.arange(24), [network(device, 1, True), network(device, 2, True)])]
    crossings, distances = reference_crossings(others, ROWS, CLASSES, box=BOX)
    start = {"crossings": crossings, "box": BOX}
    found = search_boundary(network(device, 0, True), ROWS, CLASSES, drawn, budget=80, schedule="warm", **start)
    return [crossings.numpy(), distances, *found[:2]]


def random_inputs(device):
    made = lambda part: streams(0, part, range(9))  # noqa: E731
    return search_random_inputs(network(device, 0, True), 9, (6,), made, box=BOX, budget=60)


def automatic_search(device):
    return search_boundary(network(device), IMAGES, CLASSES, drawn, budget=80, precision="auto")[:2]


def directions(device):
    points = points_of(["largest", "white"], IMAGES, stream(0, "point"))
    distances, queries, *_ = search_directions(network(device), IMAGES, CLASSES, points)
    return [distances, queries, as_levels(distances[:, 0], IMAGES, points[0], 32)]


def fixed(perturbation, of_rows=False, model=network, **options):
    def ask(device):
        points, box = (ROWS, {"box": BOX}) if of_rows else (IMAGES, {})
        asked = model(device, of_rows=of_rows)
        return [ask_fixed(asked, points, perturbation, drawn, **box, **options)[0]]

    return ask


def crafted(device):
    return [ask_crafted(network(device), IMAGES, IMAGES[:, None].repeat(1, 3, 1, 1, 1) * 1.1)[0]]


def masks(device):
    defenses = (hamp.Defense(0.5, 0.1), memguard.Defense(), top_k.Defense(1), rounding.Defense(2))
    return [array for one in defenses for array in query_confidences(network(device), IMAGES, CLASSES, one.mask)[:2]]


def references(device):
    trained = lambda inputs, classes, seed: network(device, seed % 7)  # noqa: E731
    return ask_references(trained, IMAGES.numpy(), CLASSES, np.arange(24), np.arange(10), 8, 3, 0)


def fit(make, device):
    inputs, classes, defense = IMAGES.to(device), torch.from_numpy(CLASSES).to(device), make()
    source = {name: value.numpy() for name, value in network(CPU, 5).state_dict().items()}
    defense.supply(reference=lambda: (inputs, classes), source=lambda: source)
    options = {"learning_rate": 1e-3, "batch_size": 10, "min_delta": 0.0, "patience": 2, "max_epochs": 2}
    model, losses = train(BUILD, inputs, classes, 3, 0, defense, TrainingOptions(**options))
    return [losses, *(value.cpu().numpy() for value in model.state_dict().values())]


JOBS = {
    "yoqo": craft_yoqo,
    "yoqo offline": partial(craft_yoqo, online=False, clip=True),
    "oslo": craft_oslo,
    "oslo of rows": partial(craft_oslo, of_rows=True),
    "warm": warm,
    "warm in a box": warm_in_a_box,
    "random inputs": random_inputs,
    "automatic search": automatic_search,
    "directions": directions,
    "automatic": fixed(gaussian.Perturbation([0.3], 900), precision="auto"),
    "bfloat16": fixed(gaussian.Perturbation([0.3], 9), precision="bfloat16", most_disagreement=1.0),
    "augmented": fixed(augmented.Perturbation([2], 5, cutout=3)),
    "rotation": fixed(rotation.Perturbation([5])),
    "translation": fixed(translation.Perturbation([1])),
    "bernoulli": fixed(bernoulli.Perturbation([1, 2], 5, BOX), of_rows=True),
    "vote": fixed(gaussian.Perturbation([0.3], 5), model=voting),
    "vote of rows": fixed(mixed.Perturbation(3, [0.3], [1], 5, BOX), of_rows=True, model=voting),
    "gradients of a vote": lambda device: white_box_distances(voting(device), IMAGES, CLASSES, steps=4),
    "crafted": crafted,
    "masks": masks,
    "references": references,
    "hamp": partial(fit, partial(hamp.Defense, 0.5, 0.1)),
    "ldl": partial(fit, partial(ldl.Defense, 0.1)),
    "label smoothing": partial(fit, partial(label_smoothing.Defense, 0.1)),
    "l2": partial(fit, partial(l2.Defense, 0.1)),
    "weight decay": partial(fit, partial(weight_decay.Defense, 0.1)),
    "transfer": partial(fit, partial(transfer.Defense, "source")),
}


@pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter")  # its values are copied all the same
@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_all_tensors_follow_the_model(job):
    expected = job(CPU)
    noise_table._table_on.cache_clear()
    with second_device() as device:
        found = job(device)
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)
