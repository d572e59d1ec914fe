"""Devices: what names mean, that all tensors follow the model, and what happens when a GPU's memory runs out."""

import re
from functools import partial

import numpy as np
import pytest
import torch

from lmia.boundary.crossings import closest_crossings
from lmia.boundary.fixed_directions import fixed_points, search_directions
from lmia.boundary.search import search_boundary
from lmia.boundary.white_box import white_box_distances
from lmia.defenses import adversarial_regularization, augmentation, dp_sgd, dropout, l1, mixup, none
from lmia.devices import DeviceError, describe, prepare, queries_on, resolve, width
from lmia.memory_batches import Batches
from lmia.models import cnn
from lmia.models.features import distance_to_neighbour, penultimate
from lmia.perturbations import augmentation_grid
from lmia.perturbations.gaussian import Perturbation
from lmia.queries.confidences import query_confidences
from lmia.queries.fixed_queries import ask_fixed
from lmia.queries.oracle import LabelOracle
from lmia.streams import stream, streams
from lmia.training.loop import accuracy, train
from lmia.training.options import TrainingOptions
from tests.hungry_network import Hungry
from tests.second_device import second_device

CPU = torch.device("cpu")
IMAGES = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(0))
CLASSES = np.arange(40) % 3
BUILD = partial(cnn.build, channels=[4], convolutions=1, dense=8)


@pytest.fixture
def gpus(monkeypatch):
    """A function that makes torch see so many GPUs."""

    def show(n):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: n > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: n)

    return show


@pytest.mark.parametrize(
    "name, n, expected",
    [
        ("auto", 0, "cpu"),
        ("auto", 2, "cuda"),
        ("cpu", 2, "cpu"),
        ("cuda", 1, "cuda"),
        ("cuda:1", 2, "cuda:1"),
    ],
)
def test_names_mean_a_device_of_this_machine(gpus, name, n, expected):
    gpus(n)
    assert resolve(name) == torch.device(expected)


@pytest.mark.parametrize(
    "name, n, message",
    [
        ("gpu", 1, "device: gpu: expected auto, cpu, cuda, cuda:N or mps"),
        ("cuda", 0, "device: cuda: torch .* sees 0 GPUs on .*, where CUDA_VISIBLE_DEVICES is ''; set auto or cpu"),
        ("cuda:2", 2, "device: cuda:2: torch .* sees 2 GPUs .*; set cuda or a smaller number"),
        ("mps", 0, "device: mps: torch .* sees none on .*; set auto or cpu"),
    ],
)
def test_a_device_that_is_not_there_is_one_clear_error(gpus, monkeypatch, name, n, message):
    gpus(n)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(DeviceError, match=message):
        resolve(name)


@pytest.mark.parametrize("name, index", [("cuda", 0), ("cuda:1", 1)])
def test_a_gpu_is_made_exact_and_the_cpu_left_alone(monkeypatch, name, index):
    chosen, state = [], (torch.backends.cudnn.allow_tf32, torch.are_deterministic_algorithms_enabled())
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    threads = torch.get_num_threads()
    try:
        prepare(CPU, threads + 1)
        assert torch.get_num_threads() == threads + 1
        assert not chosen and state == (True, False)
        prepare(torch.device(name), threads)
        assert chosen == [index] and torch.are_deterministic_algorithms_enabled()
        assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.backends.cudnn.allow_tf32 = True
        torch.set_deterministic_debug_mode("default")


def test_queries_are_made_where_the_model_is_and_a_gpu_takes_more_of_them():
    made = {name: (queries_on(torch.device(name)).type, width(torch.device(name))) for name in ("cpu", "cuda", "mps")}
    assert made == {"cpu": ("cpu", 1), "cuda": ("cuda", 64), "mps": ("cpu", 1)}


def test_provenance_names_the_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"model {device.index}")
    assert [describe(torch.device(name)) for name in ("cpu", "cuda:1")] == ["cpu", "cuda (model 1)"]


def ask(model):
    return [ask_fixed(model, IMAGES, Perturbation([0.3], 9), lambda: streams(0, "noise", range(40)))[0]]


def search(model):
    return search_boundary(model, IMAGES, CLASSES, lambda copy: streams(0, f"{copy}", range(40)), budget=120)[:2]


def walk(model):
    points = fixed_points(["random", "black"], IMAGES.shape[1:], stream(0, "point"))
    return search_directions(model, IMAGES, CLASSES, points)[:2]


def shift(model):
    return [
        ask_fixed(model, IMAGES, augmentation_grid.Perturbation(shifts=[0, 1]), lambda: streams(0, "none", range(40)))[
            0
        ]
    ]


def read(model):
    return query_confidences(model, IMAGES, CLASSES, lambda confidences: confidences)


def follow(model):
    return white_box_distances(model, IMAGES, CLASSES, steps=10)


def features(model):
    return [distance_to_neighbour(penultimate(model, IMAGES), 3)]


def measure(model):
    return [np.array(accuracy(model, IMAGES.to(model.layer.weight.device), torch.from_numpy(CLASSES)))]


@pytest.mark.parametrize("job", [ask, search, walk, read, features, measure])
def test_out_of_memory_halves_the_batch_and_changes_no_answer(job, capsys):
    expected = job(Hungry())
    assert "out of memory" not in capsys.readouterr().out
    hungry = Hungry(most=7)
    for left, right in zip(job(hungry), expected, strict=True):
        assert left.tobytes() == right.tobytes()
    halvings = re.findall(r"out of memory with a batch of (\d+); going on with (\d+)", capsys.readouterr().out)
    assert len(halvings) == hungry.failures > 0  # what did not fit is not tried again, and each time is logged
    assert all(int(half) == int(whole) // 2 for whole, half in halvings)


@pytest.mark.parametrize("find", [partial(white_box_distances, steps=10), closest_crossings])
def test_out_of_memory_in_gradients_changes_no_distance(find):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3)).double()
    expected = find(model, IMAGES, CLASSES)

    def refuse(layer, inputs):
        if len(inputs[0]) > 7:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    model.register_forward_pre_hook(refuse)
    for left, right in zip(find(model, IMAGES, CLASSES), expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-9)


def test_nothing_is_counted_twice_when_memory_runs_out():
    model = torch.nn.Linear(64, 3)

    def refuse(layer, inputs):
        if len(inputs[0]) > 100:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    oracles = []
    for _ in range(2):
        oracle = LabelOracle(model, 1, budget=3000, precision="bfloat16")
        oracle(torch.rand(3000, 64, generator=torch.Generator().manual_seed(0)), np.zeros(3000, int))
        oracles.append(oracle)
        model.register_forward_pre_hook(refuse)
    assert [oracle.n_queries.tolist() for oracle in oracles] == [[3000], [3000]]
    assert oracles[0].to_arrays()["audit"][:2].tolist() == oracles[1].to_arrays()["audit"][:2].tolist()


def test_a_single_input_that_does_not_fit_is_an_error():
    with pytest.raises(MemoryError, match="out of memory with a batch of 1: take a smaller model, a larger GPU"):
        Batches().run(Hungry(most=0), IMAGES)


def fit(defense, device, build=BUILD):
    """[losses, accuracy, weights ...] of a training on the device."""
    inputs, classes, protection = IMAGES.to(device), torch.from_numpy(CLASSES).to(device), defense()
    protection.supply(reference=lambda: (inputs.flip(0), classes.flip(0)), source=lambda: None)
    options = {"learning_rate": 1e-3, "batch_size": 16, "min_delta": 0.0, "patience": 2, "max_epochs": 2}
    model, losses = train(build, inputs, classes, 3, 0, protection, TrainingOptions(**options))
    weights = [value.cpu().numpy() for value in model.state_dict().values()]
    return [losses, np.array(accuracy(model, inputs, classes)), *weights]


@pytest.mark.parametrize(
    "defense, message",
    [
        (none.Defense, "^out of memory with a batch of 16: set batch_size to 8 or less"),
        (partial(dp_sgd.Defense, epochs=1, noise=1.0, batch_size=40), "^dp_sgd: out of memory with 40 views at once"),
    ],
)
def test_training_that_runs_out_of_memory_says_what_would_help(defense, message):
    def build(shape, n_classes):
        model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
        model.register_forward_pre_hook(lambda layer, inputs: Hungry(most=9)(inputs[0]) and None)
        return model

    with pytest.raises(MemoryError, match=message):
        fit(defense, CPU, build)


def on(device, job):
    torch.manual_seed(0)
    return job(BUILD((1, 8, 8), 3).eval().to(device))


DEFENSES = {
    "none": none.Defense,
    "l1": partial(l1.Defense, 1e-3),
    "dropout": partial(dropout.Defense, 0.5),
    "mixup": partial(mixup.Defense, 1.0),
    "all shifts": partial(augmentation.Defense, 1),
    "random views": partial(augmentation.Defense, 1, "random", True, 3),
    "adversarial": partial(adversarial_regularization.Defense, 1.0, 2),
    "private": partial(dp_sgd.Defense, epochs=2, noise=1.0),
    "private views": partial(dp_sgd.Defense, epochs=2, noise=1.0, views=2, pixels=1, average=0.9),
}
JOBS = {
    job.__name__: lambda device, job=job: on(device, job) for job in (ask, search, walk, shift, read, follow, features)
}
JOBS |= {name: lambda device, defense=defense: fit(defense, device) for name, defense in DEFENSES.items()}


@pytest.mark.filterwarnings("ignore:Full backward hook")
@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_all_tensors_follow_the_model(job):
    expected = job(CPU)
    with second_device() as device:
        found = job(device)
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("job", [ask, search])
def test_only_cuda_is_given_what_is_gone_before_it_may_be_read(job, monkeypatch):
    """CUDA takes a copy of what is not pinned before it goes on; mps reads it later (pytorch#189690)."""
    copies, plain = [], torch.Tensor.to

    def copy(tensor, *arguments, **named):
        copies.append(named.get("non_blocking", False))
        return plain(tensor, *arguments, **named)

    monkeypatch.setattr(torch.Tensor, "to", copy)
    with second_device() as device:
        on(device, job)
    assert copies and not any(copies)


def test_the_second_device_does_not_mix():
    with second_device() as device, pytest.raises(RuntimeError, match="expected all tensors on one device"):
        on(device, lambda model: model(IMAGES))
