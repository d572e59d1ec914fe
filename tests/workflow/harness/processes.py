"""Processes of a test, none of which outlives it."""

import contextlib


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
