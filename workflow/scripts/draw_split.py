"""Members and non-members of one role, for every seed of a block."""

import numpy as np

from lmia import artifacts
from lmia.splits import draw_roles, role_parts
from lmia.streams import seed_list
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def draw(
    dataset: str,
    output: str,
    n_train: int,
    n_nonmembers: int | None,
    scheme: str,
    seeds: list[int],
    role: str,
    study: str,
) -> None:
    arrays, _ = artifacts.load(dataset, "dataset", {"classes": ("i", 1)})
    kind, shadow = role_parts(role)
    with bad_input(f"studies.{study}"):  # of a data set whose size is known only now
        splits = draw_roles(scheme, len(arrays["classes"]), n_train, seeds, shadow, n_nonmembers)
    members = np.stack([split.members(kind) for split in splits])
    nonmembers = np.stack([split.nonmembers(kind) for split in splits])
    provenance = {"scheme": scheme, "seeds": seeds, "role": role}
    artifacts.save(output, "split", {"members": members, "nonmembers": nonmembers}, provenance)


if __name__ == "__main__":
    with job(snakemake):
        draw(
            dataset=snakemake.input.dataset,
            output=snakemake.output[0],
            n_train=snakemake.params.n_train,
            n_nonmembers=snakemake.params.n_nonmembers,
            scheme=snakemake.params.scheme,
            seeds=seed_list(snakemake.params.seeds),
            role=snakemake.params.role,
            study=snakemake.wildcards.study,
        )
