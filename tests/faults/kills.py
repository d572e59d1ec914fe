"""Jobs, and Snakemake itself, killed at random moments of their work, and what must hold after each kill."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.workflow.harness.processes import is_running

STAGES = {
    "download": ("prepare_dataset",),
    "training": ("train_model",),
    "queries": ("query_labels", "search_boundary", "query_white_box"),
    "scoring": ("score_attack", "measure_attack"),
    "figures": ("plot_metrics", "plot_scores"),
}
# Share of a job's work that a kill may cost at most: what docs/explanation/reliability.md says of each, for this
# study's sizes, and what is done in `save_every`.
UNITS = {"train_model": 0.1, "search_boundary": 0.2, "query_labels": 0.5, "query_white_box": 0.7}
PATIENCE = 3600  # s that a Snakemake may take
POLL = 0.1  # s
LOOKS = 30  # at a new process, after which it is none of ours


class Failure(Exception):
    """A promise that was not kept."""


class Jobs:
    """Those at work in a checkout; a process is looked at while it is young, as the machine may have many."""

    def __init__(self, checkout):
        self._folder, self._looks, self._scripts = str(checkout.path), {}, {}
        self._names = {path.stem[:15]: path.stem for path in (checkout.path / "workflow/scripts").glob("*.py")}

    def __call__(self):
        """Process id -> script."""
        there = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        self._looks = {pid: self._looks.get(pid, 0) + 1 for pid in there}
        for pid in [pid for pid, looks in self._looks.items() if looks <= LOOKS]:
            self._look(pid)
        self._scripts = {pid: script for pid, script in self._scripts.items() if pid in there and is_running(pid)}
        return dict(self._scripts)

    def _look(self, pid):
        with contextlib.suppress(OSError):  # it has ended
            name = (
                Path(f"/proc/{pid}/comm").read_text().strip()
            )  # a forked job's own, of which the kernel keeps 15 letters
            if name in self._names and os.readlink(f"/proc/{pid}/cwd") == self._folder:
                self._scripts[pid] = self._names[name]


def cpu_seconds(pid):
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Run:
    """One Snakemake at work, with its jobs, in a process group of its own."""

    def __init__(self, checkout, *arguments):
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--retries", "1000", *arguments]
        self.log = open(checkout.path / "run.log", "ab")
        self.process = subprocess.Popen(
            command, cwd=checkout.path, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True
        )
        self.checkout, self.jobs, self._end = checkout, Jobs(checkout), time.monotonic() + PATIENCE

    def watch(self, look):
        """Call `look(jobs)` again and again, until that is true or Snakemake ends; returns its exit code or None."""
        try:
            while self.process.poll() is None:
                if look(self.jobs()):
                    return None
                if time.monotonic() > self._end:
                    raise Failure(f"not done in {PATIENCE} s, see {self.checkout.path}/run.log")
                time.sleep(POLL)
            return self.process.returncode
        except BaseException:
            self.kill(self.jobs())
            raise

    def kill(self, jobs=()):
        """SIGKILL for Snakemake, and for these of its jobs."""
        for pid in (self.process.pid, *jobs):
            kill(pid)
        self.process.wait()


def kill(pid):
    """SIGKILL; whether it was still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class Reference:
    """An undisturbed run: its files, and what its jobs cost."""

    def __init__(self, checkout, server):
        seconds, scripts = {}, {}

        def note(jobs):
            scripts.update(jobs)
            seconds.update({pid: max(seconds.get(pid, 0), cpu_seconds(pid)) for pid in jobs})

        server.sent = 0
        if code := Run(checkout).watch(note):
            raise Failure(f"the undisturbed run ended with {code}, see {checkout.path}/run.log")
        self.files = {name: content for name, (_, content) in checkout.files().items()}
        self.sent = server.sent
        self.jobs = Counter(scripts.values())
        self.seconds = {name: max(seconds[pid] for pid in seconds if scripts[pid] == name) for name in self.jobs}
        asked = checkout.calls()
        self.asked = {name: max(n for (_, of), n in asked.items() if of == name) for name in {of for _, of in asked}}


class Life:
    """A study from nothing to its end, in spite of kills.

    plan: list of (stage, victim) that are still to be killed, victim "job", "snakemake" or "machine" (Snakemake with
    all of its jobs); what was not met in this life stays in it.
    """

    def __init__(self, checkout, reference, server, plan, rng, passed):
        self._checkout, self._reference, self._server = checkout, reference, server
        self._plan, self._rng, self._passed = plan, rng, passed
        self._settled, self._armed, self._killed, self._orphans = {}, {}, Counter(), Counter()
        server.sent = 0

    def live(self):
        """Run to the end; raises Failure where a promise is not kept."""
        self._run = Run(self._checkout)
        while (code := self._run.watch(self._look)) != 0:
            if code is not None and code > 0:
                raise Failure(f"Snakemake ended with {code}, see {self._checkout.path}/run.log")
            self._run = Run(self._checkout, "--nolock")  # as after --unlock, for half the price
        self._plan += [kill for kill, _ in self._armed.values()]
        self._check_end()

    def _look(self, jobs):
        """Arm kills for new jobs, and kill where the moment has come; whether that was Snakemake."""
        for pid in [pid for pid in self._armed if pid not in jobs]:
            self._plan.append(self._armed.pop(pid)[0])  # it came too late
        for pid, script in jobs.items():
            if pid not in self._armed:
                chosen = next((kill for kill in self._plan if script in STAGES[kill[0]]), None)
                if chosen:
                    self._plan.remove(chosen)
                    self._armed[pid] = chosen, self._moment(pid, script)
        for pid, (chosen, is_due) in list(self._armed.items()):
            if is_due():
                del self._armed[pid]
                if self._kill(pid, jobs, chosen):
                    return True
        return False

    def _moment(self, pid, script):
        """A function that tells when the random moment of a job has come."""
        # Not to the very end: a job that goes on has less to do than a whole one, and would end before.
        share, whole = 0.7 * self._rng.random(), self._reference.asked.get(script)
        if whole and self._rng.random() < 0.75:  # else it may be killed while it starts
            return lambda: self._asked(pid) >= share * whole
        if script == "prepare_dataset" and self._server.sent < share * self._reference.sent:
            return lambda: self._server.sent >= share * self._reference.sent
        return lambda: cpu_seconds(pid) >= share * self._reference.seconds[script]

    def _asked(self, pid):
        return sum(n for (of, _), n in self._checkout.calls().items() if of == pid)

    def _kill(self, pid, jobs, chosen):
        """Kill, and check what is seen then; whether Snakemake is gone."""
        stage, victim = chosen
        if victim == "job":
            if not kill(pid):
                self._plan.append(chosen)
                return False
            self._killed[jobs[pid]] += 1
        else:
            self._run.kill(jobs if victim == "machine" else ())
            for script in jobs.values():
                (self._killed if victim == "machine" else self._orphans)[script] += 1
            self._plan += [kill for kill, _ in self._armed.values()]
            self._armed.clear()
        self.check()
        self._passed(f"{stage}: {victim}")
        return victim != "job"

    def check(self):
        """No torn file under a final name, and what was finished stays as it was, with its time."""
        in_flight = self._checkout.in_flight()
        found = self._checkout.files()
        for name, (changed, content) in found.items():
            if content != self._reference.files.get(name):
                raise Failure(f"{self._checkout.path}/{name}: {len(content)} bytes that no undisturbed run has there")
            if self._settled.get(name, changed) != changed:
                raise Failure(f"{self._checkout.path}/{name}: was finished, and made again")
        if lost := self._settled.keys() - found:
            raise Failure(f"{self._checkout.path}: {', '.join(lost)}: was finished, and is gone")
        # Checksums are written before what they are of, whose job may still be in flight.
        is_output = {name: name not in in_flight and not name.startswith("results/checksums/") for name in found}
        self._settled |= {name: changed for name, (changed, _) in found.items() if is_output[name]}

    def _check_end(self):
        self._wait_for_orphans()
        self.check()
        if missing := self._reference.files.keys() - self._checkout.files():
            raise Failure(f"{self._checkout.path}: {', '.join(missing)}: missing at the end")
        if left := list((self._checkout.path / "results/.partial").iterdir()):
            raise Failure(f"{self._checkout.path}: left behind: {left}")
        if "Nothing to be done" not in (said := self._checkout.snakemake("--nolock", timeout=PATIENCE)):
            raise Failure(f"{self._checkout.path}: the same command does more once all is done:\n{said}")
        for script, unit in UNITS.items():
            asked = sum(n for (_, of), n in self._checkout.calls().items() if of == script)
            most = self._reference.asked[script]
            # An orphan goes on until it next saves, beside its successor; what it has finished is not done again.
            allowed = self._reference.jobs[script] + unit * (self._killed[script] + self._orphans[script])
            if asked > most * allowed:
                raise Failure(f"{script}: {asked} inputs were asked, more than {allowed:.1f} times {most}")
        if self._server.sent > self._reference.sent + (1 << 15) * sum(self._killed.values()):
            raise Failure(f"download: {self._server.sent} bytes were sent of {self._reference.sent}")

    def _wait_for_orphans(self):
        end = time.monotonic() + PATIENCE
        while pids := list(self._run.jobs()):
            if time.monotonic() > end:
                raise Failure(f"jobs {pids} outlive their successors by {PATIENCE} s")
            time.sleep(POLL)

    def redone(self):
        """Script -> share of its work, in whole jobs, that was done more than once."""
        asked = Counter()
        for (_, script), n in self._checkout.calls().items():
            asked[script] += n
        return {s: asked[s] / self._reference.asked[s] - self._reference.jobs[s] for s in UNITS}
