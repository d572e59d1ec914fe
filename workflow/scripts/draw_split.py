"""Members and non-members of one role, for every seed of a block."""

from lmia import artifacts
from lmia.splits import draw_block
from lmia.streams import seed_list
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def draw(
    dataset: str,
    output: str,
    n_train: int,
    n_nonmembers: int | None,
    scheme: str,
    pool: int | None,
    seeds: list[int],
    role: str,
    study: str,
) -> None:
    arrays, _ = artifacts.load(dataset, "dataset", {"classes": ("i", 1)})
    with bad_input(f"studies.{study}"):  # of a data set whose size is known only now
        split = draw_block(scheme, len(arrays["classes"]), n_train, seeds, role, n_nonmembers, pool or 0)
    artifacts.save(output, "split", split, {"scheme": scheme, "seeds": seeds, "role": role})


if __name__ == "__main__":
    with job(snakemake):
        draw(
            dataset=snakemake.input.dataset,
            output=snakemake.output[0],
            n_train=snakemake.params.n_train,
            n_nonmembers=snakemake.params.n_nonmembers,
            scheme=snakemake.params.scheme,
            pool=snakemake.params.pool,
            seeds=seed_list(snakemake.params.seeds),
            role=snakemake.params.role,
            study=snakemake.wildcards.study,
        )
