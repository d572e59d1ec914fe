"""Faults on purpose: `python tests/faults/campaign.py --kills 100 --seed 0`, closing with "N passed, M failed".

Every kill hits a tiny study at a random moment of a job of one stage. After each, what lies under a final name must
have the bytes of an undisturbed run already, and what was finished must stay; at the end of each life of the study all
must have these bytes, and no more work may have been repeated than docs/explanation/reliability.md says, or all
kills of that life count as failed. Then come full disks, damage, moved clocks and two Snakemakes at once. Folders of
failures are kept.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults import others  # noqa: E402  (found through the path above)
from tests.faults.kills import Failure, Life, Reference  # noqa: E402
from tests.faults.study import CHECKOUT, Watched, make_study, serve  # noqa: E402

PER_LIFE = 50  # kills
# In turn; a stage has as many as its jobs in a life can meet.
STAGES = (
    "training",
    "queries",
    "scoring",
    "queries",
    "figures",
    "queries",
    "training",
    "scoring",
    "download",
    "queries",
)
VICTIMS = ("job", "job", "job", "snakemake", "job", "job", "job", "machine", "job")


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--kills", type=int, default=100, help="at least 50 for 5 in each stage")
    options.add_argument("--seed", type=int, default=0, help="of stages, victims and moments")
    options.add_argument("--minutes", type=float, default=60, help="after which no life begins")
    options.add_argument("--leave-out", nargs="*", default=[], choices=others.FAULTS, help="of the other faults")
    chosen = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lmia-faults-"))
    campaign = Campaign(folder, random.Random(chosen.seed), time.monotonic() + 60 * chosen.minutes)
    campaign.kill(chosen.kills)
    for name in [name for name in others.FAULTS if name not in chosen.leave_out]:
        campaign.attempt(name, others.FAULTS[name])
    sys.exit(campaign.close())


class Campaign:
    """Counts what was tried in `folder`, and what came of it."""

    def __init__(self, folder, rng, end):
        self._folder, self._rng, self._end, self._server = folder, rng, end, serve()
        self._passed, self._failed, self._redone, self._number = Counter(), 0, Counter(), 0
        self._start = time.monotonic()
        make_study(folder / "study", self._server)
        undisturbed = self._new("undisturbed")
        self._finished = undisturbed.path
        self._reference = Reference(undisturbed, self._server)
        print(f"undisturbed: {sum(self._reference.jobs.values())} jobs, {self._age():.0f} s", flush=True)

    def kill(self, n):
        plan = [(STAGES[i % len(STAGES)], VICTIMS[i % len(VICTIMS)]) for i in range(n)]
        while plan and time.monotonic() < self._end:
            own, plan = plan[:PER_LIFE], plan[PER_LIFE:]
            self._rng.shuffle(own)
            self._number += 1
            kills, checkout = [], self._new(f"life-{self._number}")
            life = Life(checkout, self._reference, self._server, own, self._rng, kills.append)
            if self._try(f"life {self._number}", life.live):
                self._redone.update(life.redone())
                self._passed.update(kills)
            else:
                self._failed += len(kills)  # what a life did not survive says nothing of any of them
            plan += own  # those that met no job

        if plan:
            self._fail("kills", f"{len(plan)} were not tried in time: {Counter(plan)}")

    def attempt(self, name, fault):
        """One of the other faults: a function (checkout with everything finished, reference, rng, say)."""
        checkout = self._new(name.replace(" ", "-"))
        for part in ("results", ".snakemake", "cache"):
            shutil.copytree(self._finished / part, checkout.path / part, symlinks=True)
        self._try(name, lambda: fault(checkout, self._reference, self._rng, print))

    def close(self):
        """Say how it ended; the exit code."""
        kills = Counter({name: n for name, n in self._passed.items() if ": " in name})
        print("\nkills survived, by stage and victim:")
        for name, n in sorted(kills.items()):
            print(f"  {n:3d}  {name}")
        for script, share in self._redone.items():
            print(f"  {script}: {share:.2f} jobs' work repeated")
        print(f"{sum(kills.values())} kills in {self._age() / 60:.0f} minutes")
        if not self._failed:
            shutil.rmtree(self._folder)
        print(f"{sum(self._passed.values())} passed, {self._failed} failed")
        return 1 if self._failed else 0

    def _new(self, name):
        """A checkout with nothing run yet; all are of the same code, should that be edited meanwhile."""
        return Watched(shutil.copytree(self._folder / "study", self._folder / name) / CHECKOUT)

    def _try(self, name, work):
        try:
            work()
        except (Failure, AssertionError) as error:
            return self._fail(name, error)
        self._passed[name] += 1
        print(f"{self._age():5.0f} s  passed: {name}", flush=True)
        return True

    def _fail(self, name, error):
        self._failed += 1
        print(f"{self._age():5.0f} s  FAILED: {name}: {error}\n  see {self._folder}", flush=True)
        return False

    def _age(self):
        return time.monotonic() - self._start


if __name__ == "__main__":
    main()
