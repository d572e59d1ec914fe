"""A journal gives back what was finished, and work that it was broken off from goes on to the same bytes."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lmia.boundary.fixed_directions import search_directions
from lmia.boundary.search import search_boundary
from lmia.boundary.white_box import white_box_distances
from lmia.perturbations.gaussian import Perturbation
from lmia.queries.fixed_queries import ask_fixed
from lmia.streams import streams
from workflow.harness import journal_file
from workflow.harness.journal_file import KeptJournal

IMAGES = torch.rand(9, 1, 12, 12, generator=torch.Generator().manual_seed(0))
CLASSES = np.arange(9) % 3


class Killed(BaseException):
    """As abrupt as a signal: nothing of the package catches it."""


class Network(torch.nn.Module):
    """Counts the inputs that it is asked about, and dies instead of exceeding `lifetime`."""

    def __init__(self, lifetime=np.inf):
        super().__init__()
        torch.manual_seed(0)
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(144, 16), torch.nn.Linear(16, 3))
        self.asked, self.lifetime = [0], lifetime

    def forward(self, x):
        if self.asked[0] + len(x) > self.lifetime:
            raise Killed
        self.asked[0] += len(x)  # in a list, which a rounded copy of the model shares
        return self.layers(x)

    def __deepcopy__(self, memo):
        other = Network(self.lifetime)
        other.asked = self.asked
        return other


def arrays(n):
    return {"x": np.arange(n), "of/it": np.array("text")}


def equal(left, right):
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


def test_parts_come_back_under_the_same_key_only(tmp_path):
    path = tmp_path / "journal.npz"
    journal = KeptJournal(path, "one", every=0)
    journal.part("a").finish(arrays(1))
    journal.part("b").part("state").save(lambda: arrays(2))
    again = KeptJournal(path, "one", every=0)
    assert equal(again.part("a").get(), arrays(1)) and equal(again.part("b").part("state").get(), arrays(2))
    assert again.part("b").get() is None
    assert KeptJournal(path, "two").part("a").get() is None


def test_what_is_finished_stands_for_its_parts(tmp_path):
    path = tmp_path / "journal.npz"
    journal = KeptJournal(path, every=0)
    journal.part("a").part("state").save(lambda: arrays(9))
    journal.part("ab").finish(arrays(8))
    assert equal(journal.part("a").finish(arrays(3)), arrays(3))
    for kept in (journal, KeptJournal(path)):
        assert equal(kept.part("a").get(), arrays(3)) and kept.part("a").part("state").get() is None
        assert equal(kept.part("ab").get(), arrays(8))


def test_nothing_is_written_or_even_made_before_the_interval_is_over(tmp_path, monkeypatch):
    path, now = tmp_path / "journal.npz", [100.0]
    monkeypatch.setattr(journal_file, "time", SimpleNamespace(monotonic=lambda: now[0]))
    journal = KeptJournal(path, every=60)
    now[0] += 59
    journal.part("a").finish(arrays(1))
    journal.part("b").save(lambda: pytest.fail("made in vain"))
    assert not path.exists() and equal(journal.part("a").get(), arrays(1))
    now[0] += 1
    journal.part("b").save(lambda: arrays(2))
    assert equal(KeptJournal(path).part("a").get(), arrays(1)) and equal(KeptJournal(path).part("b").get(), arrays(2))
    now[0] += 59
    journal.part("b").save(lambda: pytest.fail("made in vain"))


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b"", lambda data: data.replace(b"text", b"?")])
def test_a_damaged_journal_costs_only_what_it_held(tmp_path, damage, capsys):
    path = tmp_path / "journal.npz"
    KeptJournal(path, every=0).finish({"x": np.arange(3), "y": np.frombuffer(b"text", np.uint8)})
    path.write_bytes(damage(path.read_bytes()))
    assert KeptJournal(path).get() is None
    assert "journal.npz" in capsys.readouterr().out


def search(model, journal=None, **options):
    def draws(copy):
        return streams(0, f"copy {copy}", range(len(IMAGES)))

    pool = torch.rand(40, 1, 12, 12, generator=torch.Generator().manual_seed(1)), np.arange(40) % 3
    return search_boundary(model, IMAGES, CLASSES, draws, pool=pool, journal=journal, **options)


def ask(model, journal=None, **options):
    perturbation = Perturbation(sigmas=[0.3, 0.6], samples=12)
    return ask_fixed(model, IMAGES, perturbation, lambda: streams(0, "noise", range(9)), journal=journal, **options)


def right_classes():
    """Of which every image is, so that all parts of a job take as long."""
    with torch.no_grad():
        return Network()(IMAGES).argmax(1).numpy()


def follow(model, journal=None):
    return white_box_distances(model, IMAGES, right_classes(), steps=20, journal=journal)


def walk(model, journal=None, **options):
    points = torch.rand(5, 1, 12, 12, generator=torch.Generator().manual_seed(2))
    return search_directions(model, IMAGES, right_classes(), points, journal=journal, **options)


JOBS = {
    "economical": partial(search, budget=300),
    "published": partial(search, budget=500, schedule="published"),
    "copies": partial(search, budget=400, shift_pixels=1),
    "slices": partial(search, budget=300),
    "slices of copies": partial(search, budget=400, shift_pixels=1),
    "settled": partial(search, budget=300, settled=lambda best, spent: (best < 0.8) & (spent > 150)),
    "bfloat16": partial(search, budget=200, precision="bfloat16", most_disagreement=1.0),
    "too coarse": partial(search, budget=200, precision="bfloat16", most_disagreement=0.0),
    "mixed precision": partial(search, budget=200, precision="auto"),
    "fixed queries": ask,
    "fixed queries in mixed precision": partial(ask, precision="auto"),
    "gradients": follow,
    "directions": walk,
    "directions in bfloat16": partial(walk, precision="bfloat16", most_disagreement=1.0),
}


@pytest.mark.parametrize("name, job", JOBS.items(), ids=JOBS)
def test_a_job_that_dies_again_and_again_ends_as_one_that_does_not(tmp_path, name, job, monkeypatch):
    # Several blocks in a job or step, as there are with more examples or larger images.
    monkeypatch.setattr("lmia.boundary.search_state.PROBES", (150, 150))
    monkeypatch.setattr("lmia.queries.fixed_queries.MIN_EXAMPLES", 1)
    monkeypatch.setattr("lmia.queries.fixed_queries.MAX_QUERIES", 1)
    monkeypatch.setattr("lmia.queries.oracle.CHUNK", (3, 3))
    if "slices" in name:
        monkeypatch.setattr("lmia.boundary.search.SLICE", (4, 10**6))
    whole = Network()
    expected = job(whole)
    asked, deaths = 0, 0
    while deaths < 6:
        model = Network(0.4 * whole.asked[0])
        try:
            found = job(model, KeptJournal(tmp_path / "journal.npz", every=0))
            break
        except Killed:
            deaths += 1
        finally:
            asked += model.asked[0]
    for left, right in zip(found, expected, strict=True):
        assert left.tobytes() == right.tobytes() if isinstance(left, np.ndarray) else left == right
    assert deaths >= 2 and asked < 1.4 * whole.asked[0]  # the rest of a block, or of a move, is asked again each time


def test_gradients_go_on_after_the_last_step(tmp_path):
    """Of one block, which a large network takes minutes for."""
    whole, again = Network(), Network()
    expected = follow(whole)
    dying = Network(0.6 * whole.asked[0])
    with pytest.raises(Killed):
        follow(dying, KeptJournal(tmp_path / "journal.npz", every=0))
    found = follow(again, KeptJournal(tmp_path / "journal.npz", every=0))
    assert [left.tobytes() for left in found] == [right.tobytes() for right in expected]
    assert dying.asked[0] + again.asked[0] == whole.asked[0] + len(IMAGES)  # asked once more: is it misclassified?
