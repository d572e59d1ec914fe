"""Processes of a test, none of which outlives it."""

import contextlib
import multiprocessing
import time

PROCESSES = multiprocessing.get_context("fork")


@contextlib.contextmanager
def starting(make):
    """A function that starts a process as `make` does with its arguments; all are killed at the end."""
    jobs = []

    def start(*arguments):
        jobs.append(make(*arguments))
        return jobs[-1]

    try:
        yield start
    finally:
        for each in jobs:
            each.kill()


def wait_for(condition, seconds=180):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


class Job:
    """A forked process, with torch and what a test has changed, at one end of a pipe; `work` gets the other."""

    def __init__(self, work, *arguments):
        self.told, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=work, args=(theirs, *arguments), daemon=True)
        self.process.start()

    def says(self, seconds=30):
        """What it tells next; None where it tells nothing for so long."""
        return self.told.recv() if self.told.poll(seconds) else None

    def goes_on(self):
        self.told.send(None)

    def kill(self):
        self.process.kill()
        self.process.join()
