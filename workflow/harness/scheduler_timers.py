"""One timer of Snakemake's scheduler at a time.

While jobs are ready, Snakemake (9.27) looks at every end of a job whether more can start, and again after a second, as
by then more may be allowed to. Each look starts a timer for the next, whether or not one is running: so their number
grows with that of the jobs that have ended, to hundreds of looks a second, each of all ready jobs and their inputs.
"""

import time
from typing import Any

from snakemake.scheduling.job_scheduler import JobScheduler

STARTS = "_schedule_reevalutation"  # (scheduler, seconds): release the scheduler once these have passed


def install() -> None:
    """Have schedulers of this process start no timer while one is running that ends no later."""
    start = getattr(JobScheduler, STARTS, None)
    if start and start.__module__ != __name__:  # a Snakemake without it has no such timers, or others
        setattr(JobScheduler, STARTS, _started(start))


def _started(start: Any) -> Any:
    def start_timer(scheduler: Any, delay: float) -> None:
        now, due = time.monotonic(), getattr(scheduler, "timer_due", 0)
        if not now < due <= now + delay:
            scheduler.timer_due = now + delay
            start(scheduler, delay)

    return start_timer
