"""The law for what stands around jobs: a mutation in workflow/harness changes no byte of a result.

No hash of code covers that folder, so whatever is edited there re-runs nothing. Here one literal or operator at a time
is changed, and a small study is made with it, twice: from scratch, and from what the first run has put into a cache. A
mutation may end a run or hold it up; what is there afterwards must be what it is without it.
"""

import collections
import copy
import datetime
import random
import shutil

import pytest

from tests.law.code_edits import mutated
from tests.law.conftest import told, write
from tests.law.study import EVERY_KIND
from tests.workflow.conftest import make_checkout

SEED = datetime.date.today().toordinal()  # other mutations every day
SAMPLE = 6
LIMIT = 60  # seconds; a run takes 5 to 10
ATTACKS = ["flips", "boundary"]


def study():
    """A configuration of one small study with a search and a vote; a cache is beside its folder."""
    config = {name: copy.deepcopy(EVERY_KIND[name]) for name in ("base", "metrics")}
    for section, names in (("datasets", ["digits"]), ("models", ["mlp"]), ("defenses", ["none"]), ("attacks", ATTACKS)):
        config[section] = {name: EVERY_KIND[section][name] for name in names}
    small = {"n_train": [40], "seeds": [0], "shadows": 1, "defenses": ["none"], "attacks": ATTACKS}
    config["studies"] = {"small": EVERY_KIND["studies"]["small"] | small}
    config["queries"] = {name: EVERY_KIND["queries"][name] for name in ("bernoulli", "boundary")}
    return config | {"cache": "../cache", "figures": {}}


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory):
    checkout = make_checkout(tmp_path_factory.mktemp("unchanged") / "checkout")
    write(checkout, study())
    return checkout


@pytest.fixture(scope="module")
def wanted(unchanged, runner):
    runner.run(unchanged, ["all"])
    results = told(unchanged)
    shutil.rmtree(unchanged.path / "results")
    assert len(results) > 3
    return results


@pytest.mark.slow
def test_a_mutation_of_the_harness_changes_no_byte_of_a_result(unchanged, wanted, runner, tmp_path, capsys):
    modules = sorted((unchanged.path / "workflow/harness").glob("*.py"))
    draw, counts = random.Random(SEED), collections.Counter()
    for number, module in enumerate(draw.sample([m for m in modules if m.name != "__init__.py"], SAMPLE)):
        source = mutated(module.read_text(), draw)
        (tmp_path / str(number)).mkdir()
        counts += ends_of_two_runs(unchanged, module.name, source, wanted, runner, tmp_path / str(number))
    with capsys.disabled():
        print(
            f"\n{SAMPLE} mutations of workflow/harness (seed {SEED}), two runs each: {dict(counts)}, no byte is another"
        )


def ends_of_two_runs(unchanged, module, source, wanted, runner, folder):
    """How many runs with another source of a module ended well, and how many badly; all results there are compared."""
    counts = collections.Counter()
    checkout = type(unchanged)(folder / "checkout")
    shutil.copytree(unchanged.path, checkout.path)
    (checkout.path / "workflow/harness" / module).write_text(source)
    for _ in range(2):
        answer = runner.ask(checkout, arguments=["all"], limit=LIMIT)
        ended = answer is not None and answer["code"] == 0
        counts["ended" if ended else "failed"] += 1
        found = told(checkout)
        differ = [name for name, content in found.items() if content != wanted[name]]
        assert not differ, f"{module} (seed {SEED}): {differ}\n{source}"
        assert not ended or found.keys() == wanted.keys(), f"{module} (seed {SEED})"
        shutil.rmtree(checkout.path / "results", ignore_errors=True)
    return counts
