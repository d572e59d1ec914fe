"""What a Snakemake within a cluster's job leaves where that job fails: everything.

Snakemake (9.27) removes the outputs of a job that fails, as they might be partial. Those of this workflow are whole or
absent (job_outputs.py). And a job that has outlived its Snakemake fails once it is superseded, or when the cluster ends
it: by then, its outputs are those that its successor has made.
"""

from typing import Any

from snakemake.jobs import Job


def install() -> None:
    """Have Snakemakes of this process remove no output of a failed job."""
    if hasattr(Job, "cleanup"):  # a Snakemake without it removes them in another way, which tests would notice
        Job.cleanup = _keep


async def _keep(self: Any, skip_outputs: Any) -> None:
    """Nothing, in the place of a removal."""
