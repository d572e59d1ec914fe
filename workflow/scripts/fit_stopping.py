"""When the target's searches are settled, learned from the shadows' searches, which were run to the end."""

from lmia import artifacts
from lmia.evaluation.fit_stopping import fit_block
from lmia.membership import load_membership
from lmia.streams import seed_list
from workflow.harness.job import job


def fit(shadows: list[str], splits: list[str], output: str, error: float, seeds: list[int]) -> None:
    searched = [artifacts.load(path, "distances", {"distance": ("f", 4), "n_queries": ("i", 4)})[0] for path in shadows]
    known = [load_membership(split, of["example_ids"]) for split, of in zip(splits, searched, strict=True)]
    artifacts.save(output, "stopping", fit_block(searched, known, seeds, error), {"error": error, "seeds": seeds})


if __name__ == "__main__":
    with job(snakemake):
        fit(
            shadows=list(snakemake.input.shadows),
            splits=list(snakemake.input.splits),
            output=snakemake.output[0],
            error=snakemake.params.error,
            seeds=seed_list(snakemake.params.seeds),
        )
