"""The law: after an edit of any key, a run on old results gives the bytes of a run from scratch.

For each key the smallest part of a configuration is run three times: as it is, edited on top of that, and edited in an
empty folder. `python -m tests.law.test_from_scratch LOG` does so for all keys, and goes on where an earlier call ended.
"""

import contextlib
import datetime
import random
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.law.conftest import Runner, told, write
from tests.law.given_files import place_small_data
from tests.law.shrink import shrunk
from tests.law.study import HINTS, runnable
from tests.law.walk import edited, keys
from tests.workflow.conftest import make_checkout
from workflow.config.load import check

SEED = datetime.date.today().toordinal()  # another sample every day
SAMPLE = 4
# Classes, and keys, that no run can have here otherwise, each with its reason.
NOT_RUN = {
    "Torchvision": "needs files that are fetched",
    "Archived": "needs files that are fetched",
    "Unpublished": "needs files that nobody may pass on",
    "TorchScriptTarget.trust": "is the hash of a file, and no other value is taken",
}


def all_keys(folder):
    with contextlib.chdir(folder):
        found = keys(check(runnable()))
    del found["Config.base"]  # what counts is what the files come to
    # An entry of another kind is another entry: what its jobs then read are keys of that, which are here.
    return {
        k: places
        for k, places in found.items()
        if not (k.endswith(".kind") or {k, k.partition(".")[0]} & NOT_RUN.keys())
    }


def edit(folder, key, places):
    """(place, smallest configuration, the same edited) of the first place that has another valid value."""
    raw = runnable()
    with contextlib.chdir(folder):
        for place in places:
            if other := edited(raw, place, HINTS.get(key, ())):
                return place, *shrunk(raw, other, place)
    return None


def difference(runner, folder, key, places):
    """(place, names of results that differ between a run on old results and one from scratch, number compared)."""
    one = make_checkout(folder / "one")
    place_small_data(one.path)
    if (found := edit(one.path, key, places)) is None:
        return key, ["no other valid value is known"], 0
    place, before, after = found
    targets = ["all", *before.get("exhibits", {})]
    write(one, before)
    shutil.copytree(one.path, folder / "scratch")
    runner.run(one, targets)
    scratch = type(one)(folder / "scratch")
    for checkout in (one, scratch):
        write(checkout, after)
        runner.run(checkout, targets)
    return ".".join(map(str, place)), *compared(one, scratch)


def compared(one, scratch):
    """(names of the results of a run from scratch that are others in the folder `one`, number of them)."""
    wanted, found = told(scratch), told(one)
    return [name for name in wanted if wanted[name] != found.get(name)], len(wanted)


@pytest.mark.slow
def test_after_an_edit_of_some_keys_results_are_those_of_a_run_from_scratch(runner, tmp_path, capsys):
    place_small_data(tmp_path)
    draw, found = random.Random(SEED), all_keys(tmp_path)
    for number, key in enumerate(draw.sample(sorted(found), SAMPLE)):
        (tmp_path / str(number)).mkdir()
        places = draw.sample(found[key], len(found[key]))
        place, differ, n = difference(runner, tmp_path / str(number), key, places)
        assert not differ and n, f"{place} (seed {SEED})"
        with capsys.disabled():
            print(f"\n{place}: {n} results, all as from scratch (seed {SEED})")


def main(log):
    """Compare for every key, and write a line for each to the file `log`: key, place, number of results, others."""
    done = {line.split("\t")[0] for line in Path(log).read_text().splitlines()} if Path(log).exists() else set()
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(Path(folder))
        place_small_data(Path(folder))
        for key, places in all_keys(Path(folder)).items():
            if key in done:
                continue
            work = Path(tempfile.mkdtemp(dir=folder))
            try:
                place, differ, n = difference(runner, work, key, places)
            except AssertionError as error:
                place, differ, n = key, [f"failed: {str(error)[-1500:]!r}"], 0
            shutil.rmtree(work)
            with open(log, "a") as lines:
                print(key, place, n, " ".join(differ), sep="\t", file=lines, flush=True)
        runner.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
