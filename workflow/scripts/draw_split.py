"""Members and non-members of one role, for every seed of a block."""

import numpy as np

from lmia import artifacts
from lmia.splits import draw_split
from workflow.job import job
from workflow.seeds import seed_list


def draw(dataset, output, n_train, seeds, role):
    arrays, _ = artifacts.load(dataset, "dataset", {"classes": ("i", 1)})
    kind, shadow = role[:6], int(role[6:] or 0)
    splits = [draw_split(len(arrays["classes"]), n_train, seed, shadow) for seed in seeds]
    members = np.stack([split.members(kind) for split in splits])
    nonmembers = np.stack([split.nonmembers(kind) for split in splits])
    provenance = {"n_train": n_train, "seeds": seeds, "role": role}
    artifacts.save(output, "split", {"members": members, "nonmembers": nonmembers}, provenance)


with job(snakemake):
    draw(
        dataset=snakemake.input.dataset,
        output=snakemake.output[0],
        n_train=snakemake.params.n_train,
        seeds=seed_list(snakemake.wildcards.seeds),
        role=snakemake.wildcards.role,
    )
