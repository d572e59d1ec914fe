"""A checkout whose jobs can be caught at work, with a model that notes who asks it."""

import shutil
import subprocess
import sys
from collections import Counter

from tests.workflow.conftest import Checkout
from tests.workflow.harness.processes import wait_for

# A model that notes who asks it how much, and can be made slow without a change of anything that a result depends on:
# by files beside the checkout, as a job refuses those inside that nothing names.
MODEL = """
import math
import os
import sys
import time
from pathlib import Path

import torch


class Noted(torch.nn.Module):
    def __init__(self, size, n_classes):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(size, 16), torch.nn.Tanh(), torch.nn.Dropout(0.1), torch.nn.Linear(16, n_classes)
        )

    def forward(self, x):
        with open(f"{os.getcwd()}-calls.txt", "a") as calls:
            calls.write(f"{os.getpid()} {sys.argv[0].split('.')[-2]} {len(x)}\\n")
        delay = Path(f"{os.getcwd()}-delay.txt")
        time.sleep(float(delay.read_text()) if delay.exists() else 0)
        return self.layers(x.flatten(1))


def build(shape, n_classes):
    return Noted(math.prod(shape), n_classes)
"""
# Each job that Snakemake submits is a Snakemake of its own, and outlives the first. It waits while its queue is there.
CLUSTER = """#!/bin/sh
setsid sh -c 'while [ -e {queue} ]; do sleep 0.1; done; exec sh "$1"' job "$1" > /dev/null 2>&1 &
echo $! | tee -a {queue}-submitted
"""
STUDY = {
    "dataset": "digits",
    "n_train": [30],
    "model": "noted",
    "seeds": ["0-1"],
    "training": {"max_epochs": 60, "batch_size": 10},
}


class Faulty(Checkout):
    """A checkout whose jobs can be caught at work."""

    def __init__(self, path):
        super().__init__(path)
        self.noted, self.delay = (path.with_name(f"{path.name}-{what}.txt") for what in ("calls", "delay"))
        self.caught, self.started = [], []

    def calls(self):
        """(process id, name of its script) -> inputs that it has asked the model about."""
        counted = Counter()
        for line in self.noted.read_text().splitlines() if self.noted.exists() else ():
            pid, script, n = line.split()
            counted[int(pid), script] += int(n)
        return counted

    def forget(self, *targets):
        """As before these targets were made, and before any call."""
        for file in (*(self.path / target for target in targets), self.noted, self.delay):
            file.unlink(missing_ok=True)
        if targets:
            shutil.rmtree(self.path / "results/.store", ignore_errors=True)

    def journals(self):
        return list((self.path / "results/.partial").glob("*/journal.npz"))

    def start(self, target, *arguments, delay=0.05):
        """Start Snakemake for a target, with a slow model; returns its process."""
        self.delay.write_text(str(delay))
        command = [sys.executable, "-m", "snakemake", "--cores", "2", target, "--config", "save_every=0.1", *arguments]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.started.append(subprocess.Popen(command, cwd=self.path, **silent))
        return self.started[-1]

    def cluster(self, queue="no-queue"):
        """Arguments that have Snakemake submit its jobs, which start once the file `queue` is gone."""
        submit = self.path / f"{queue}-submit.sh"
        submit.write_text(CLUSTER.format(queue=queue))
        submit.chmod(0o755)
        return "--executor", "cluster-generic", "--jobs", "1", "--cluster-generic-submit-cmd", str(submit)

    def catch(self, least):
        """Wait until a job has asked so many inputs and has kept something; returns its process id."""
        wait_for(lambda: self.journals() and sum(self.calls().values()) >= least)
        *_, (pid, _) = self.calls()
        self.caught.append(pid)
        return pid
