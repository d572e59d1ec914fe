"""A scheduler of Snakemake's has one timer at a time, and is woken as soon as it asked to be."""

import threading
import time
import types

import pytest
from snakemake.scheduling.job_scheduler import JobScheduler

from workflow.harness import scheduler_timers


@pytest.fixture
def started(monkeypatch):
    """Seconds of each timer that was started; none of them ends."""
    delays = []

    def timer(delay, _):
        return types.SimpleNamespace(start=lambda: delays.append(delay))

    monkeypatch.setattr(threading, "Timer", timer)
    return delays


@pytest.fixture
def woken():
    """(wake after seconds, how often it was woken so far) of a scheduler that only waits."""
    scheduler_timers.install()
    scheduler_timers.install()  # as a second workflow in one process does
    waiting = types.SimpleNamespace(_open_jobs=threading.Semaphore(0), count=0)

    def wake(delay):
        getattr(JobScheduler, scheduler_timers.STARTS)(waiting, delay)

    def count():
        while waiting._open_jobs.acquire(blocking=False):
            waiting.count += 1
        return waiting.count

    return wake, count


def wait_for(count, expected):
    limit = time.monotonic() + 20
    while count() < expected and time.monotonic() < limit:
        time.sleep(0.01)
    return count()


def test_a_hundred_looks_start_one_timer(woken, started):
    wake, _ = woken
    for _ in range(100):
        wake(60)
    assert started == [60]


def test_after_its_end_a_timer_is_started_again(woken):
    wake, count = woken
    wake(0.01)
    assert wait_for(count, 1) == 1
    wake(0.01)
    assert wait_for(count, 2) == 2


def test_a_shorter_timer_does_not_wait_for_a_longer_one(woken, started):
    wake, _ = woken
    wake(60)
    wake(30)
    assert started == [60, 30]
