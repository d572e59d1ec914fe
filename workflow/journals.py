"""The journal of a job, by everything that its result depends on."""

from lmia.journal import Journal
from workflow.dependencies import dependencies


def journal_of(snakemake, attempt, device):
    """What earlier runs of this job have done, of equal code, settings, inputs, versions, threads and kind of device.

    attempt: of this run; device: its torch.device, whose random streams no other kind can go on with; how often the
    journal is written is the configuration's, and no result depends on it.
    """
    key = dependencies(snakemake, snakemake.wildcards.keys(), device)
    return Journal(attempt.journal, key, every=snakemake.config["save_every"])
