"""A model in TorchScript answers as it did, and is kept and made again as its bytes."""

import hashlib

import numpy as np
import pytest
import torch
from torch import nn

from lmia.models.checkpoints import restore, to_arrays
from lmia.queries.oracle import LabelOracle
from lmia.targets.torchscript import build, load
from tests.second_device import second_device

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")  # torch.jit still runs what there is


def trusted(path):
    return build((3,), 2, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("is_frozen", [False, True])
def test_a_model_is_kept_as_the_bytes_of_its_file(is_frozen, tmp_path):
    network, points = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).eval(), torch.rand(5, 3)
    scripted = torch.jit.script(network)
    torch.jit.save(torch.jit.freeze(scripted) if is_frozen else scripted, tmp_path / "it.ts")
    loaded = trusted(tmp_path / "it.ts")
    load(loaded, tmp_path / "it.ts")
    arrays = to_arrays(loaded, 7)
    assert {name: array.tobytes() for name, array in arrays.items()} == {"7/file": (tmp_path / "it.ts").read_bytes()}
    for model in (loaded.eval(), restore(trusted(tmp_path / "it.ts"), arrays, 7)):
        torch.testing.assert_close(model(points), network(points))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", bytes(1000)])
def test_other_files_are_refused_with_one_line(content, tmp_path):
    (tmp_path / "it.ts").write_bytes(content)
    with pytest.raises(ValueError, match=r"^expected a file of torch.jit.save \(.*\)$") as error:
        load(trusted(tmp_path / "it.ts"), tmp_path / "it.ts")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_a_model_for_other_numbers_is_refused_with_one_line(dtype, tmp_path):
    network = nn.Linear(3, 2).to(dtype)
    torch.jit.save(torch.jit.script(network), tmp_path / "it.ts")
    loaded = trusted(tmp_path / "it.ts")
    load(loaded, tmp_path / "it.ts")
    with pytest.raises(
        ValueError, match=r"^expected a model that takes torch.float32 of shape \(5, 3\) \(.*\)$"
    ) as error:
        loaded(torch.rand(5, 3))
    assert "\n" not in str(error.value)


class Frozen(nn.Module):
    """As a program whose weights are constants: no parameter says where it is, and none is moved."""

    def __init__(self, device):
        super().__init__()
        self.weights = (torch.eye(3)[:, :2].to(device),)

    def forward(self, inputs):
        return inputs @ self.weights[0]


def test_a_frozen_model_runs_on_the_device_of_the_job(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.jit, "load", lambda file, map_location: Frozen(map_location))
    (tmp_path / "it.ts").write_bytes(b"frozen")
    points = torch.rand(5, 3)
    with second_device() as device:
        loaded = build((3,), 2, hashlib.sha256(b"frozen").hexdigest(), device)
        load(loaded, tmp_path / "it.ts")
        assert loaded.to(device)(points.to(device)).device == device
        assert torch.equal(LabelOracle(loaded, 5, 1)(points, np.arange(5)), points[:, :2].argmax(1))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("The operation failed in the interpreter.\nRuntimeError: CUDA out of memory."),
    ],
    ids=["torch", "interpreter"],
)
def test_out_of_memory_halves_the_batch_of_a_program_too(error):
    class Hungry(nn.Module):
        def forward(self, inputs):
            if len(inputs) > 7:
                raise error
            return inputs

    loaded, points = build((3,), 3, ""), torch.rand(40, 3)
    loaded.network = Hungry()
    assert torch.equal(LabelOracle(loaded, 40, 1)(points, np.arange(40)), points.argmax(1))


def test_weights_alone_are_no_model(tmp_path):
    torch.save(nn.Linear(3, 2).state_dict(), tmp_path / "it.pt")
    with pytest.raises(
        ValueError, match="^expected a file of torch.jit.save .*; these look like weights: write kind: torch$"
    ):
        load(trusted(tmp_path / "it.pt"), tmp_path / "it.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="it.ts"):
        load(build((3,), 2, "0" * 64), tmp_path / "it.ts")


def test_a_file_that_nobody_trusts_is_not_even_read_as_a_program(tmp_path, monkeypatch):
    network = nn.Linear(3, 2)
    torch.jit.save(torch.jit.script(network), tmp_path / "it.ts")
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("it was read"))
    found = hashlib.sha256((tmp_path / "it.ts").read_bytes()).hexdigest()
    message = f"^expected the file whose SHA-256 is {'0' * 64}, got {found}; it is not run$"
    with pytest.raises(ValueError, match=message):
        load(build((3,), 2, "0" * 64), tmp_path / "it.ts")
    content = torch.frombuffer(bytearray((tmp_path / "it.ts").read_bytes()), dtype=torch.uint8)
    with pytest.raises(ValueError, match=message):  # nor where an artifact holds it
        restore(build((3,), 2, "0" * 64), {"7/file": content.numpy()}, 7)
