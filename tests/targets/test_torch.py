"""Weights are taken from files that hold them and nothing else, and none of a file is executed."""

import os
import pickle
import re

import pytest
import torch
from torch import nn

from lmia.targets.torch import fill_from, load


def net(width=4):
    return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, 2))


def test_a_network_answers_as_the_one_that_was_saved(tmp_path):
    trained, fresh, points = net(), net(), torch.rand(5, 3)
    trained(torch.rand(20, 3))  # moves the running means
    torch.save(trained.state_dict(), tmp_path / "it.pt")
    load(fresh, tmp_path / "it.pt")
    torch.testing.assert_close(fresh.eval()(points), trained.eval()(points), rtol=0, atol=0)


def prefixed(state):
    return {f"module.{name}": value for name, value in state.items()}


def without_first(state):
    return {name: state[name] for name in list(state)[1:]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda state: {"epoch": 3, "model": state},
            "expected a state_dict of tensors, got dict with the keys epoch, model; "
            "write it by torch.save(model.state_dict(), path)",
        ),
        (lambda state: [*state.values()], "expected a state_dict of tensors, got list; write it by torch.save"),
        (
            prefixed,
            "all names in the file begin with 'module.', as a wrapper gives: save the wrapped model's state_dict",
        ),
        (lambda state: {3: 1}, "expected a state_dict of tensors, got dict with the keys 3; write it"),
        (
            lambda state: state | {"0.weight": state["0.weight"].to(torch.int8)},
            "0.weight: expected numbers as torch.float32, as the model is built, got torch.int8 (torch.strided); save",
        ),
        (
            lambda state: state | {"0.weight": state["0.weight"].to(torch.complex64)},
            "0.weight: expected numbers as torch.float32, as the model is built, got torch.complex64",
        ),
        (
            lambda state: state | {"0.weight": state["0.weight"].to_sparse()},
            "0.weight: expected numbers as torch.float32, as the model is built, got torch.float32 (torch.sparse_coo)",
        ),
        (without_first, "the file lacks 0.weight: it is of another architecture"),
        (lambda state: state | {"4.weight": torch.ones(1)}, "the file has 4.weight beside: it is of another"),
        (
            lambda state: net(6).state_dict(),
            "0.weight: expected shape (4, 3), as the model is built, got (6, 3); "
            "is it built with the options of its training, for as many classes?",
        ),
    ],
)
def test_what_is_no_state_dict_of_the_network_is_refused(change, message, tmp_path):
    torch.save(change(net().state_dict()), tmp_path / "it.pt")
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        load(net(), tmp_path / "it.pt")


class Payload:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("write", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
def test_nothing_that_a_file_holds_is_executed(write, tmp_path):
    write({"0.weight": Payload(tmp_path / "ran")}, tmp_path / "it.pt")
    with pytest.raises(
        ValueError, match="^expected a state_dict, .* what else a file may hold, .* is never unpickled$"
    ):
        load(net(), tmp_path / "it.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x80\x04garbage", bytes(1000)])
def test_other_files_are_refused_with_one_line(content, tmp_path):
    (tmp_path / "it.pt").write_bytes(content)
    with pytest.raises(ValueError, match=r"^expected a state_dict, .* never unpickled$") as error:
        load(net(), tmp_path / "it.pt")
    assert "\n" not in str(error.value)


def test_a_whole_model_is_refused_with_one_line_and_no_advice_to_load_it(tmp_path):
    torch.save(net(), tmp_path / "it.pt")
    with pytest.raises(ValueError) as error:
        load(net(), tmp_path / "it.pt")
    assert str(error.value).isprintable() and "weights_only" not in str(error.value)


def test_a_prefix_is_told_where_it_is_all_that_differs(tmp_path):
    for change in ({"module.more": torch.ones(1)}, {"more": torch.ones(1)}, {5: torch.ones(1)}):
        torch.save(prefixed(net().state_dict()) | change, tmp_path / "it.pt")
        with pytest.raises(ValueError, match="it is of another architecture"):
            load(net(), tmp_path / "it.pt")
    torch.save(prefixed(prefixed(net().state_dict())), tmp_path / "it.pt")
    with pytest.raises(ValueError, match="^all names in the file begin with 'module.module.', "):
        load(net(), tmp_path / "it.pt")


def test_weights_in_half_precision_are_taken(tmp_path):
    torch.save(net().half().state_dict(), tmp_path / "it.pt")
    load(network := net(), tmp_path / "it.pt")
    assert {value.dtype for value in network.parameters()} == {torch.float32}


def test_what_a_trainer_makes_is_taken_if_it_is_of_the_same_architecture():
    empty, trained = net(), net()
    fill_from(empty, trained)
    for name, value in trained.state_dict().items():
        assert torch.equal(empty.state_dict()[name], value)
    with pytest.raises(ValueError, match="trained another architecture than that of the target: .*expected shape"):
        fill_from(empty, net(5))
    with pytest.raises(ValueError, match="expected a torch.nn.Module of the target's architecture, got function"):
        fill_from(empty, lambda inputs: inputs)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="it.pt"):
        load(net(), tmp_path / "it.pt")
