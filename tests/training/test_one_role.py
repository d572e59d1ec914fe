"""What the model of a role is trained on, and its record: of eight points that say of which class they are."""

import numpy as np
import pytest
import torch
from torch import nn

from lmia.defenses.base import Defense
from lmia.journal import Journal
from lmia.streams import stream
from lmia.training import one_role
from lmia.training.options import TrainingOptions

SAID = np.array([0, 1, 2, 0, 1, 2, 0, 1])  # what a model that repeats its input answers
# The larger an input, the later its point: rows can be told.
DATA = {
    "inputs": (np.eye(3)[SAID] * np.arange(1, 9)[:, None]).astype(np.float32),
    "classes": np.array([0, 1, 2, 1, 1, 2, 2, 0]),  # other than said: 3, 6, 7
}
MEMBERS, NONMEMBERS = np.array([0, 3, 4]), np.array([1, 2, 6, 7])
SOURCE = {"weight": np.ones(2, np.float32)}
OPTIONS = TrainingOptions(learning_rate=0.1, batch_size=2, min_delta=0, patience=1, max_epochs=1)


class Asking(Defense):
    """Asks for all that it is offered."""

    def supply(self, reference, source):
        self.reference, self.source = reference(), source()

    def report(self):
        return {"epsilon": 1.5}


@pytest.fixture
def trained(monkeypatch):
    """A function that trains a role: (its record, what `train` was given)."""
    given = {}

    def train(build, inputs, classes, n_classes, seed, defense, options, journal):
        given.update(inputs=inputs, classes=classes, n_classes=n_classes, seed=seed, options=options, journal=journal)
        return build((), n_classes), np.array([2.0, 1.0])

    monkeypatch.setattr(one_role, "train", train)

    def run(seed=0, role="target", defense=None, members=MEMBERS, data=DATA, split=SPLIT):
        network, record = one_role.train_role(
            lambda shape, n_classes: nn.Identity(), data, 3, members, NONMEMBERS, seed, role,
            defense or Defense(), OPTIONS, SOURCE, torch.device("cpu"), "journal", split,
        )  # fmt: skip
        assert isinstance(network, nn.Identity)
        return record, dict(given)

    return run


def points(inputs):
    """Which points of DATA the inputs are."""
    return [int(value) - 1 for value in inputs.max(dim=1).values]


def test_members_and_no_others_are_trained_on(trained):
    _, given = trained()
    assert points(given["inputs"]) == [0, 3, 4] and given["classes"].tolist() == [0, 1, 1]
    assert given["n_classes"] == 3  # of all data, also where no member is of the last class
    assert given["options"] is OPTIONS and given["journal"] == "journal"


def test_the_record_has_accuracies_epochs_and_what_the_defense_reports(trained):
    record, _ = trained(defense=Asking())
    assert record.pop("flag") == "at chance"  # right on half of the non-members, of which half are of class 2
    # what is said of point 3 is wrong, and of points 6 and 7
    assert record == {"train_accuracy": pytest.approx(2 / 3), "test_accuracy": 0.5, "epochs": 2, "epsilon": 1.5}


def test_a_defense_gets_points_of_neither_kind_and_the_source(trained):
    asking = Asking()
    trained(defense=asking)
    inputs, classes = asking.reference
    assert points(inputs) == [5] and classes.tolist() == [2]  # all that is left, fewer than there are members
    assert asking.source is SOURCE


def test_reference_points_are_drawn_for_each_role_and_seed(trained):
    many = {"inputs": np.arange(1, 201, dtype=np.float32)[:, None], "classes": np.arange(200) % 2}
    found = []
    for seed, role in ((0, "target"), (0, "shadow0"), (1, "target"), (0, "target")):
        trained(seed, role, asking := Asking(), data=many)
        found.append(points(asking.reference[0]))
        assert len(found[-1]) == len(MEMBERS) and not {*found[-1]} & {*MEMBERS, *NONMEMBERS}
    assert found[0] == found[3] and len({tuple(ids) for ids in found}) == 3


def test_seeds_and_roles_begin_differently(trained):
    seeds = [trained(*given)[1]["seed"] for given in ((0, "target"), (0, "shadow0"), (0, "shadow1"), (1, "target"))]
    assert len(set(seeds)) == 4 and trained(0, "target")[1]["seed"] == seeds[0]


def test_a_defense_learns_from_points_that_are_neither_members_nor_what_they_are_compared_with():
    given = np.random.default_rng(0).permutation(1000)[:180]
    ids = one_role.reference_ids(1000, given[:100], given[100:], stream(0, "reference"))
    assert len(ids) == 100 and not set(ids) & set(given) and (np.diff(ids) > 0).all()
    few = np.arange(180)
    found = one_role.reference_ids(190, few[:100], few[100:], stream(0, "any"))
    np.testing.assert_array_equal(found, np.setdiff1d(np.arange(190), few))
    with pytest.raises(ValueError, match="the data set has none left"):
        one_role.reference_ids(180, few[:100], few[100:], stream(0, "any"))


SPLIT = {"members": np.array([[0, 3, 4], [1, 2, 5]]), "nonmembers": np.array([[1, 2, 6, 7], [0, 3, 4, 7]])}


def trained_block(monkeypatch, flags, members=SPLIT["members"]):
    """(arrays of the models of seeds 3 and 4, what `train_role` was given for each)."""
    given = []

    def train_role(*arguments):
        given.append(arguments)
        network = nn.Linear(1, 1, bias=False)
        with torch.no_grad():
            network.weight.fill_(arguments[5])  # the seed
        return network, {"epochs": 10 + len(given), "flag": flags[len(given) - 1]}

    monkeypatch.setattr(one_role, "train_role", train_role)
    arrays = one_role.train_block(
        "build", DATA, SPLIT | {"members": members}, [3, 4], "shadow1", Defense, OPTIONS, SOURCE, "device", Journal()
    )
    return arrays, given


def test_each_seed_has_its_own_points_defense_and_part_of_the_journal(monkeypatch):
    _, given = trained_block(monkeypatch, ["", ""])
    for (build, data, n_classes, members, nonmembers, seed, role, _, *same, journal, split), row in zip(
        given, range(2), strict=True
    ):
        assert (build, n_classes, role, seed, same) == ("build", 3, "shadow1", 3 + row, [OPTIONS, SOURCE, "device"])
        assert data["inputs"] is DATA["inputs"] and data["classes"] is DATA["classes"]
        np.testing.assert_array_equal(members, SPLIT["members"][row])
        np.testing.assert_array_equal(nonmembers, SPLIT["nonmembers"][row])
        journal.finish({"seed": np.array(seed)})
        assert split.keys() == SPLIT.keys()
    assert given[0][7] is not given[1][7] and isinstance(given[0][7], Defense)
    assert [int(arguments[-2].get()["seed"]) for arguments in given] == [3, 4]


def test_what_fills_up_rows_of_a_pool_is_no_point(monkeypatch):
    _, given = trained_block(monkeypatch, ["", ""], members=np.array([[0, 3, 4], [1, 2, -1]]))
    assert [arguments[3].tolist() for arguments in given] == [[0, 3, 4], [1, 2]]


def test_models_have_an_output_for_each_class_though_a_target_says_fewer(monkeypatch):
    """Else a model trained on its labels is not of the shape of the others, and cannot be restored."""
    given = []
    monkeypatch.setattr(one_role, "train_role", lambda *found: given.append(found) or (nn.Identity(), {"flag": ""}))
    data, block = DATA | {"classes": np.array([0, 1, 0, 1, 1, 2, 0, 0])}, ("relabelled", Defense, OPTIONS, SOURCE)
    split = {"members": np.array([[0, 1, 5]]), "nonmembers": np.array([[2, 3]]), "labels": np.array([[0, 1, 1]])}
    one_role.train_block("build", data, split, [3], *block, "device", Journal())
    ((_, told, n_classes, *_),) = given
    assert told["classes"].max() == 1 and n_classes == 3


def test_weights_and_records_of_all_seeds_are_kept(monkeypatch):
    arrays, _ = trained_block(monkeypatch, ["", ""])
    assert list(arrays) == ["3/weight", "4/weight", "epochs"]  # no flags where none is up
    assert [float(arrays[f"{seed}/weight"][0, 0]) for seed in (3, 4)] == [3, 4] and arrays["epochs"].tolist() == [
        11,
        12,
    ]


def test_flags_are_kept_where_one_is_up(monkeypatch):
    arrays, _ = trained_block(monkeypatch, ["", "diverged"])
    assert arrays["flags"].tolist() == ["", "diverged"]


def test_canaries_are_trained_on_and_left_out_of_accuracies(trained, monkeypatch):
    """Points 3, 6 and 7 are those of which something wrong is said."""
    record, given = trained(split=SPLIT | {"canaries": np.array([3, 6])})
    assert points(given["inputs"]) == [0, 3, 4]
    assert (record["train_accuracy"], record["test_accuracy"]) == (1.0, pytest.approx(2 / 3))
    given = []
    monkeypatch.setattr(one_role, "train_role", lambda *found: given.append(found) or (nn.Identity(), {"flag": ""}))
    block = ([3, 4], "target", Defense, OPTIONS, SOURCE, "device", Journal())
    one_role.train_block("build", DATA, SPLIT | {"canaries": np.array([3, 6])}, *block)
    assert [found[-1]["canaries"].tolist() for found in given] == [[3, 6], [3, 6]]


def test_canaries_out_of_distribution_are_trained_on_as_they_are(trained):
    canaries = {"canaries": np.array([3, 6]), "canary_inputs": np.full((2, DATA["inputs"].shape[1]), 0.25, np.float32)}
    _, given = trained(split=SPLIT | canaries)
    expected = torch.from_numpy(DATA["inputs"][[0, 3, 4]])
    expected[1] = 0.25
    torch.testing.assert_close(given["inputs"], expected)
