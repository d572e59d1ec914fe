"""The program that runs released attacks beside ours: what of it needs none of the released codes."""

import runpy
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.splits import draw_pool
from lmia.training.options import TrainingOptions
from tests.prose import measure

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def program():
    """The modules of the program, by their names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        patch.setenv("OMP_NUM_THREADS", "1")  # the program sets it, and the others that follow
        patch.setenv("MKL_NUM_THREADS", "1")
        patch.setenv("OPENBLAS_NUM_THREADS", "1")
        main = runpy.run_path(str(ROOT / "benchmarks/released.py"))
        import released_attacks
        import released_code
        import released_pool

        yield SimpleNamespace(main=main, attacks=released_attacks, code=released_code, pool=released_pool)


@pytest.fixture(scope="module")
def pool(program):
    """A pool of six networks that are hardly trained."""
    sizes = program.pool.Sizes(models=6, examples=40, asked=12, targets=4, surrogates=3, population=50)
    short = TrainingOptions(learning_rate=1e-2, batch_size=100, min_delta=0.0, patience=5, max_epochs=5)
    return program.pool.Pool(sizes, short)


def clone_of(folder, repository):
    """A clone of nothing but a commit."""
    path = folder / repository.partition("/")[2]
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(path)]
    path.mkdir()
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "Begin"], check=True)
    return path


def test_a_missing_clone_is_one_line_that_says_what_to_do(program, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        program.main["main"](["--code", str(tmp_path), "--out", str(tmp_path), "--only", "yoqo"])
    said = capsys.readouterr().err
    assert ended.value.code == 1 and said.count("\n") == 1
    assert said.startswith(f"--code {tmp_path}: expected a clone YOQO in it") and "git clone" in said


def test_a_clone_says_its_commit(program, tmp_path):
    folder = clone_of(tmp_path, "somebody/attack")
    clone = program.code.Clone.find(tmp_path, "somebody/attack")
    log = subprocess.run(["git", "-C", str(folder), "log", "-1", "--format=%h"], capture_output=True, text=True)
    assert clone.commit() == log.stdout.strip()


def test_definitions_run_as_they_stand_and_nothing_else_does(program, tmp_path):
    file = tmp_path / "attack.py"
    file.write_text(
        "import nothing_of_this_name\nimport math as m, missing_too\nfrom other import helper, unused\n"
        "raise RuntimeError('read a GPU')\n"
        "def area(r):\n    return m.pi * helper(r)\n"
        "class Twice:\n    def of(self, r):\n        return 2 * area(r) + seed\n"
    )
    found = program.code.definitions(file, "area", "Twice", helper=lambda r: r * r, seed=1)
    assert found.area(2) == pytest.approx(4 * np.pi) and found.Twice().of(1) == pytest.approx(2 * np.pi + 1)
    found.globals["seed"] = 0
    assert found.Twice().of(1) == pytest.approx(2 * np.pi)
    with pytest.raises(KeyError, match="nowhere"):
        program.code.definitions(file, "area", "nowhere", helper=None)
    with pytest.raises(ImportError):
        program.code.definitions(file, "area")


def test_models_count_what_they_are_asked(program):
    asked = program.code.Counted(torch.nn.Flatten())
    centred = program.code.Centred(asked)
    rows = torch.rand(5, 1, 2, 2)
    torch.testing.assert_close(centred(2 * rows - 1), rows.flatten(1))
    asked(rows[:2])
    assert asked.rows == 7


def test_the_pool_has_pairs_and_the_rest_of_the_points(program, pool):
    sizes = pool.sizes
    assert len(pool.models) == sizes.models and len(pool.surrogates) == sizes.surrogates
    assert (pool.is_member[::2] ^ pool.is_member[1::2]).all() and pool.is_member.shape == (6, 40)
    assert len(pool.asked) == sizes.asked == len(np.unique(pool.asked)) and pool.asked.max() < 40
    inside, others = (part.flatten(1).numpy() for part in (pool.inputs, pool.others[0]))
    assert not (inside[:, None] == others[None]).all(axis=2).any()  # the population is none of the examples


@given(seed=st.integers(0, 99), shift=st.floats(0.5, 3))
@settings(max_examples=10, deadline=None)
def test_a_row_says_by_how_much_ours_differs(program, seed, shift):
    bits, draw = draw_pool(range(8), 60, seed), np.random.default_rng(seed)
    noise = draw.standard_normal(bits.shape)
    side, beside = program.pool.Side, program.pool.Beside
    half = np.full(8, shift / 2)
    worse = side(noise, np.full(8, 3.0), 30.0, half)
    better = side(noise + shift * bits, np.full(8, 1.5), 6.0, half)

    def row(theirs, ours):
        names = "attack", "somebody/attack", "released", "ours"
        return program.main["row"](beside(*names, bits, theirs, ours), "abc1234", resamples=20)

    found, turned, same = row(worse, better), row(better, worse), row(worse, worse)
    verdict = program.main["verdict"]
    assert (verdict(found), verdict(turned), verdict(same)) == ("above", "below", "level")
    assert found["auc_difference"] == pytest.approx(found["our_auc"] - found["auc"])
    assert found["auc_difference"] == pytest.approx(-turned["auc_difference"]) and found["accuracy_difference"] > 0
    assert (found["times_as_fast"], found["cpu_s"], found["our_cpu_s"]) == (2, 24, 12)
    assert same["auc_difference"] == same["auc_low"] == same["auc_high"] == 0


def test_an_attack_without_thresholds_has_no_accuracy(program):
    bits = draw_pool(range(4), 200, 0)
    side = program.pool.Side(bits.astype(float), np.ones(4), 1.0, own=lambda scores, known: 0.25)
    found = program.main["row"](program.pool.Beside("a", "b/c", "d", "e", bits, side, side), "abc1234", resamples=20)
    assert np.isnan(found["accuracy"]) and np.isnan(found["accuracy_difference"])
    assert (found["auc_own_metric"], found["auc_same_targets"]) == (0.25, 1)


def test_the_page_has_a_verdict_for_each_row_and_a_reason_for_each_code_that_was_not_run(program):
    bits = draw_pool(range(8), 60, 0)
    side = program.pool.Side(bits + 0.1, np.ones(8), 5.0, own=lambda scores, known: 0.25)
    blind = program.pool.Side(np.zeros(bits.shape), np.ones(8), 5.0)
    pairs = {"fine": (side, side), "worse": (side, blind), "better": (blind, side)}
    rows = [
        program.main["row"](program.pool.Beside(name, "b/c", "d", "e", bits, *sides), "abc1234", resamples=20)
        for name, sides in pairs.items()
    ]
    page = program.main["page"](pd.DataFrame(rows), program.pool.Sizes(), "python a.py")
    found = {line.split(" | ")[0].strip("| "): line for line in page.splitlines() if line.count("|") == 11}
    assert [word for name in pairs for word in ("level", "below", "above") if f"| {word} |" in found[name]] == [
        "level",
        "below",
        "above",
    ]
    assert all(f"- {name}, {commit}: {why}." in page for name, (commit, why) in program.main["NOT_RUN"].items())
    assert not measure(page)[1]


STUBS = {  # of released codes, which score 1 - what they are given
    "logistic": (
        "src/experiments/hamp.py",
        "class _LabelOnlyLogisticRegressionAttack:\n"
        "    def __init__(self, bits, rows, target, c, seed):\n"
        "        self.bits, self.rows, self.target = bits, rows, target\n"
        "    def __call__(self, example):\n"
        "        assert self.bits.shape == self.rows.shape[:2]\n"
        "        return 1 - self.rows[example, self.target].mean()\n",
    ),
    "rmia": (
        "attacks.py",
        "def get_rmia_out_signals():\n    pass\n"
        "def run_rmia(target, signal, population, bits, n, a):\n"
        "    assert len(population) == 50 and (bits[:, 2:].sum(axis=1) == n).all()\n"
        "    assert (signal[:, 0] == signal[:, 1]).all() and signal.shape[1] == bits.shape[1] == 2 + 2 * n\n"
        "    return 1 - signal[:, target]\n",
    ),
    "directions-dhattack": (
        "DHAttackBase.py",
        "def add_mask(image, level):\n    return image\n"
        "def computeLDistance(labels, classes):\n    return 30.0 * (labels[0] != classes[0])\n"
        "def compute_AUC(bits, scores):\n    return 0.5\n",
    ),
}


@pytest.mark.parametrize("name", STUBS)
def test_what_is_released_gets_what_it_expects_and_is_scored_as_ours(program, pool, tmp_path, name):
    attack, repository = program.attacks.ATTACKS[name]
    path, text = STUBS[name]
    folder = clone_of(tmp_path, repository)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text)
    for beside in attack(program.code.Clone.find(tmp_path, repository), pool):
        assert beside.is_member.shape == beside.theirs.scores.shape == beside.ours.scores.shape
        assert len(beside.theirs.seconds) == len(beside.ours.seconds) and beside.ours.queries >= 1
        found = program.main["row"](beside, "abc1234", resamples=20)
        if "calibrated" not in beside.attack and beside.theirs.queries == beside.ours.queries:
            assert found["auc"] < 0.5 < found["our_auc"]  # ours of the same answers is no 1 - them


def test_crafted_queries_are_made_in_turns_and_asked_of_models_that_had_no_part(program, pool):
    made = []

    def make(side):
        def of(rows, *models):
            made.append((side, rows.tolist(), *(part.tolist() for part in models)))
            return torch.full_like(pool.points()[0][rows][:, None], float(len(*models) == 2))  # says who made it

        return of

    theirs, ours = program.attacks._crafted(pool, make("theirs"), make("ours"), from_pool=True)
    assert [side for side, *_ in made] == ["theirs", "ours"] * 8
    assert {tuple(models) for *_, models in made} == {(0, 1, 4, 5), (2, 3)}
    sides = [of.side(columns=[0]) for of in (theirs, ours)]
    with torch.inference_mode():
        of_makers = {number: torch.full((1, 1, 8, 8), float(number not in (2, 3))) for number in range(6)}
        labels = [int(pool.models[number](query).argmax(1)) for number, query in of_makers.items()]
        right = np.array(labels)[:, None] == pool.points()[1]
    for side in sides:
        np.testing.assert_array_equal(side.scores, right)
        assert len(side.seconds) == 8


def test_every_attack_and_every_code_that_was_not_run_is_named_once(program):
    names = [repository for _, repository in program.attacks.ATTACKS.values()]
    assert all("/" in repository for repository in [*names, *program.main["NOT_RUN"]])
    assert not {*names} & {*program.main["NOT_RUN"]}
    assert all(commit and why for commit, why in program.main["NOT_RUN"].values())
