"""On a real GPU: answers as on the CPU, twice the same, no waiting within a step, memory that runs out, locks.

Skipped where torch sees none; tests/test_devices.py checks the same with a device that is made up.
"""

import os
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from lmia.boundary import search_boundary
from lmia.defenses import augmentation, dp_sgd, dropout, mixup, none
from lmia.devices import describe, prepare, resolve, width
from lmia.fixed_queries import ask_fixed
from lmia.hopskipjump import _Search
from lmia.models import cnn, wide_resnet
from lmia.oracle import LabelOracle
from lmia.perturbations import augmented, bernoulli, gaussian, rotation, translation
from lmia.schedules import ECONOMICAL
from lmia.streams import streams
from lmia.training import predict, train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU")
ROOT = Path(__file__).resolve().parent.parent
CPU, GPU = torch.device("cpu"), torch.device("cuda:0")
N = 40
IMAGES = torch.rand(N, 3, 32, 32, generator=torch.Generator().manual_seed(0))
CLASSES = torch.arange(N) % 5
PERTURBATIONS = {
    "rotation": rotation.Perturbation([3, 30]),
    "translation": translation.Perturbation([1, 2]),
    "gaussian": gaussian.Perturbation([0.1, 0.3], 20),
    "bernoulli": bernoulli.Perturbation([5, 50], 20),
    "augmented": augmented.Perturbation([4], 30, cutout=16),
}


@pytest.fixture(scope="module", autouse=True)
def exact():
    prepare(GPU)
    yield
    torch.set_deterministic_debug_mode("default")


def network(device, dtype=torch.float32):
    """A CNN whose labels vary, with weights from the CPU's random numbers."""
    torch.manual_seed(0)
    model = cnn.build((3, 32, 32), 5)
    with torch.no_grad():
        model[-1].bias.sub_(model(IMAGES).mean(0))
    return model.to(device, dtype).eval()


def own_classes():
    return predict(network(CPU), IMAGES)


def search(device, dtype=torch.float32, schedule="economical", **options):
    pool = IMAGES.flip(0), own_classes().flip(0)
    return search_boundary(
        network(device, dtype),
        IMAGES,
        own_classes(),
        lambda copy: streams(0, f"copy {copy}", range(N)),
        budget=120,
        schedule=schedule,
        pool=pool if schedule == "economical" else None,
        **options,
    )


@pytest.mark.parametrize("schedule", ["economical", "published"])
def test_searches_find_the_distances_that_the_cpu_finds(schedule):
    found, expected = search(GPU, torch.float64, schedule), search(CPU, torch.float64, schedule)
    assert (found[1] == expected[1]).all()
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    assert (expected[0][:, 0, -1] > 0).mean() > 0.9  # or it would be of zeros that were compared


@pytest.mark.parametrize("schedule", ["economical", "published"])
def test_searches_are_reproducible(schedule):
    for left, right in zip(search(GPU, schedule=schedule)[:2], search(GPU, schedule=schedule)[:2], strict=True):
        assert left.tobytes() == right.tobytes()


@pytest.mark.parametrize("kind", PERTURBATIONS)
def test_fixed_queries_get_the_labels_that_the_cpu_gives(kind):
    ask = partial(
        ask_fixed, inputs=IMAGES, perturbation=PERTURBATIONS[kind], streams=lambda: streams(0, kind, range(N))
    )
    found, expected = ask(network(GPU, torch.float64))[0], ask(network(CPU, torch.float64))[0]
    assert (found != expected).mean() <= 1e-4  # queries are float32, and may be rounded otherwise
    assert len(np.unique(expected)) > 1


def test_a_step_of_the_economical_search_waits_for_nothing():
    state = _Search(
        LabelOracle(network(GPU), N, budget=200), IMAGES, own_classes(), streams(0, "waiting", range(N)), ECONOMICAL
    )
    state.start([IMAGES.flip(0)], 10)
    state.choose(None)
    assert len(state.searching) > N / 2
    state.advance(lambda: None)  # the first one fills tables
    state.choose(None)
    torch.cuda.set_sync_debug_mode("error")
    try:
        state.advance(lambda: None)
        with pytest.raises(RuntimeError, match="synchroni"):
            state.best.cpu()
    finally:
        torch.cuda.set_sync_debug_mode("default")


DEFENSES = {
    "none": none.Defense,
    "dropout": partial(dropout.Defense, 0.5),
    "mixup": partial(mixup.Defense, 1.0),
    "all shifts": partial(augmentation.Defense, 1),
    "random views": partial(augmentation.Defense, 4, "random", True, 16),
    "private": partial(dp_sgd.Defense, epochs=2, noise=1.0, batch_size=50),
}


def fit(defense, device, build=cnn.build):
    options = {"learning_rate": 1e-3, "batch_size": 50, "min_delta": 0.0, "patience": 3, "max_epochs": 3}
    model, losses = train(build, IMAGES.to(device), CLASSES.to(device), 5, 0, defense(), **options)
    return losses, [value.cpu().numpy() for value in model.state_dict().values()]


@pytest.mark.filterwarnings("ignore:Full backward hook")
@pytest.mark.parametrize("name", DEFENSES)
def test_training_is_reproducible(name):
    (losses, weights), (again, weights_again) = fit(DEFENSES[name], GPU), fit(DEFENSES[name], GPU)
    assert losses.tobytes() == again.tobytes()
    assert all(left.tobytes() == right.tobytes() for left, right in zip(weights, weights_again, strict=True))


def test_training_starts_where_the_cpu_starts():
    """Weights and batches are drawn on the CPU, so that the first losses differ by roundings only."""
    np.testing.assert_allclose(fit(none.Defense, GPU)[0], fit(none.Defense, CPU)[0], rtol=1e-3)


def test_a_wide_residual_network_trains():
    losses, _ = fit(partial(augmentation.Defense, 4, "random", True, 16), GPU, wide_resnet.build)
    assert np.isfinite(losses).all()


def test_memory_that_runs_out_halves_the_batch_and_changes_no_label(capsys):
    model, rows = network(GPU), np.zeros(6000, int)
    inputs = torch.rand(6000, 3, 32, 32, generator=torch.Generator().manual_seed(1)).to(GPU)
    chunk = LabelOracle.chunk(3072, GPU)
    assert chunk == 64 * (1 << 18) // 3072 and width(GPU) == 64
    expected = LabelOracle(model, 1, budget=6000)(inputs, rows)
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(GPU).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + (200 << 20)) / total)
    try:
        oracle = LabelOracle(model, 1, budget=6000)
        found = oracle(inputs, rows)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert re.search(r"out of memory with a batch of 3000; going on with 1500", capsys.readouterr().out)
    assert (found == expected).all() and oracle.spent.tolist() == [6000]


TAKING = """
import sys, time
from workflow.gpus import take_gpu
number, _ = take_gpu()
print("taken", number, time.time(), flush=True)
time.sleep(float(sys.argv[1]))
print("left", time.time(), flush=True)
"""


def start(seconds, **environment):
    command = [sys.executable, "-c", TAKING, str(seconds)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, env=os.environ | environment)


def test_no_two_jobs_have_the_same_gpu(tmp_path):
    one = {"CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0], "TMPDIR": str(tmp_path)}
    first = start(5, **one)
    while "taken 0" not in (line := first.stdout.readline()):
        assert line, "the first job ended without a GPU"
    second = start(0, **one)
    first_left = float(first.communicate()[0].split()[-1])
    said = second.communicate()[0]
    assert "all 1 visible GPUs are taken by other jobs" in said
    assert float(re.search(r"taken 0 (\S+)", said)[1]) >= first_left


def test_a_killed_job_gives_its_gpu_back(tmp_path):
    one = {"CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0], "TMPDIR": str(tmp_path)}
    first = start(600, **one)
    while "taken 0" not in (line := first.stdout.readline()):
        assert line, "the first job ended without a GPU"
    first.kill()
    first.wait()
    began = time.time()
    assert "taken 0" in start(0, **one).communicate(timeout=60)[0] and time.time() - began < 60


def test_hidden_gpus_are_not_there():
    code = "from lmia.devices import resolve; print(resolve('auto')); resolve('cuda')"
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, text=True, capture_output=True)
    assert ran.stdout == "cpu\n" and "sees 0 GPUs" in ran.stderr and "CUDA_VISIBLE_DEVICES is ''" in ran.stderr


def test_the_gpu_is_named():
    assert resolve("auto").type == "cuda"
    assert describe(GPU) == f"cuda ({torch.cuda.get_device_name(0)})"
