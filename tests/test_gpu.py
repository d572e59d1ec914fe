"""On a real GPU: answers as on the CPU, twice the same, no waiting within a step, memory that runs out, locks.

Skipped where torch sees none; tests/test_devices.py checks the same with a device that is made up.
"""

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from lmia.boundary.hopskipjump import _Search
from lmia.boundary.schedules import ECONOMICAL
from lmia.boundary.search import search_boundary
from lmia.defenses import augmentation, dp_sgd, dropout, l2, mixup, none
from lmia.devices import describe, prepare, resolve, width
from lmia.models import cnn, wide_resnet
from lmia.perturbations import augmented, bernoulli, gaussian, rotation, translation
from lmia.queries.fixed_queries import ask_fixed
from lmia.queries.oracle import LabelOracle
from lmia.streams import streams
from lmia.training.loop import predict, train
from lmia.training.options import TrainingOptions
from workflow.harness.journal_file import KeptJournal

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
    prepare(GPU, 1)
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
    state.begin_step(None)
    assert len(state.searching) > N / 2
    state.take_step(lambda state: None)  # the first one fills tables
    state.begin_step(None)
    torch.cuda.set_sync_debug_mode("error")
    try:
        state.take_step(lambda state: None)
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
    model, losses = train(build, IMAGES.to(device), CLASSES.to(device), 5, 0, defense(), TrainingOptions(**options))
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


REPLAYED = {
    "none": (none.Defense, cnn.build),
    "dropout": (partial(dropout.Defense, 0.5), cnn.build),
    "L2": (partial(l2.Defense, 0.1), cnn.build),
    "all shifts": (partial(augmentation.Defense, 1), cnn.build),
    "wide residual network": (partial(augmentation.Defense, 4, "random", True, 16), wide_resnet.build),
}


def fit_long(defense, build=cnn.build, journal=None, **options):
    """Batches of 12, 12, 12 and 4, so that both sizes are captured."""
    options = {"min_delta": 0.0, "patience": 9, "max_epochs": 9, "learning_rate": 1e-3, "batch_size": 12} | options
    model, losses = train(build, IMAGES.to(GPU), CLASSES.to(GPU), 5, 0, defense, TrainingOptions(**options), journal)
    return losses.tobytes(), [value.cpu().numpy().tobytes() for value in model.state_dict().values()]


@pytest.fixture
def replays(monkeypatch):
    """The number of steps that were replayed, as the only item of a list."""
    replays, replay = [0], torch.cuda.CUDAGraph.replay

    def counted(graph):
        replays[0] += 1
        return replay(graph)

    monkeypatch.setattr(torch.cuda.CUDAGraph, "replay", counted)
    return replays


@pytest.mark.parametrize("options", [{}, {"optimizer": "sgd", "weight_decay": 5e-4}, {"precision": "bfloat16"}])
@pytest.mark.parametrize("name", REPLAYED)
def test_replayed_steps_train_the_model_that_the_steps_themselves_train(monkeypatch, replays, name, options):
    defense, build = REPLAYED[name]
    replayed = fit_long(defense(), build, **options)
    assert replays[0] > 20
    monkeypatch.setattr("lmia.training.cuda_graphs.WARM_UP", 10**9)
    told, replays[0] = fit_long(defense(), build, **options), 0
    assert told == replayed and replays[0] == 0


@pytest.mark.parametrize("defense", [partial(mixup.Defense, 1.0)])
def test_steps_that_draw_on_the_cpu_are_not_replayed(replays, defense):
    fit_long(defense())
    assert replays[0] == 0


class Waits(none.Defense):
    def loss(self, model, inputs, classes):
        loss = super().loss(model, inputs, classes)
        return loss * 2 if loss.item() > 1 else loss


def test_steps_that_wait_for_the_gpu_are_not_replayed(capsys, monkeypatch, replays):
    found = fit_long(Waits())
    assert replays[0] == 0 and "cannot be captured" in capsys.readouterr().out
    monkeypatch.setattr("lmia.training.cuda_graphs.WARM_UP", 10**9)
    assert found == fit_long(Waits())


class Stops(none.Defense):
    """No defense, but that the process ends with the so-manieth batch."""

    def __init__(self, most):
        self._left = most

    def view(self, inputs, rows, copies):
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return super().view(inputs, rows, copies)


def test_replayed_training_goes_on_where_it_was(tmp_path):
    def journal():
        return KeptJournal(tmp_path / "journal.npz", "key", every=0)

    with pytest.raises(KeyboardInterrupt):
        fit_long(Stops(23), journal=journal())
    assert fit_long(none.Defense(), journal=journal()) == fit_long(none.Defense())


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
    assert (found == expected).all() and oracle.n_queries.tolist() == [6000]


TAKING = """
import sys
from workflow.harness.gpu_locks import take_gpu
number, _ = take_gpu()
print("taken", number, flush=True)
sys.stdin.read()
"""


def start(folder):
    """A process that takes the only GPU it sees, and keeps it until its standard input ends."""
    only = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": only, "TMPDIR": str(folder)}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", TAKING], cwd=ROOT, text=True, stdin=pipe, stdout=pipe, env=environment
    )


def wait_for(said, process):
    while said not in (line := process.stdout.readline()):
        assert line, f"the job ended without saying: {said}"


def test_no_two_jobs_have_the_same_gpu(tmp_path):
    first = start(tmp_path)
    wait_for("taken 0", first)
    second = start(tmp_path)
    wait_for("all 1 visible GPUs are taken by other jobs", second)
    first.communicate()
    assert "taken 0" in second.communicate(timeout=60)[0]


def test_a_killed_job_gives_its_gpu_back(tmp_path):
    first = start(tmp_path)
    wait_for("taken 0", first)
    first.kill()
    first.wait()
    assert "taken 0" in start(tmp_path).communicate(timeout=60)[0]


def test_hidden_gpus_are_not_there():
    code = "from lmia.devices import resolve; print(resolve('auto')); resolve('cuda')"
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, text=True, capture_output=True)
    assert ran.stdout == "cpu\n" and "sees 0 GPUs" in ran.stderr and "CUDA_VISIBLE_DEVICES is ''" in ran.stderr


def test_the_gpu_is_named():
    assert resolve("auto").type == "cuda"
    assert describe(GPU) == f"cuda ({torch.cuda.get_device_name(0)})"
