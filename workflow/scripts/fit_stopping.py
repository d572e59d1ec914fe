"""When the target's searches are settled, learned from the shadows' searches, which were run to the end."""

import numpy as np

from lmia import artifacts
from lmia.attacks.observations import join_moments
from lmia.evaluation.stopping_rule import fit_stopping
from lmia.streams import seed_list
from workflow.harness.job import job


def tune(shadows, splits, output, error, seeds):
    searched = [artifacts.load(path, "distances", {"distance": ("f", 4), "n_queries": ("i", 4)})[0] for path in shadows]
    members = [artifacts.load(path, "split", {"members": ("i", 2)})[0]["members"] for path in splits]
    arrays = {}
    for s, seed in enumerate(seeds):
        best, spent = (join_moments([part[name][s] for part in searched])[:, 0] for name in ("distance", "n_queries"))
        is_member = [np.isin(part["example_ids"][s], ids[s]) for part, ids in zip(searched, members, strict=True)]
        arrays |= fit_stopping(best, spent, np.concatenate(is_member), error).to_arrays(seed)
    artifacts.save(output, "stopping", arrays, {"error": error, "seeds": seeds})


if __name__ == "__main__":
    with job(snakemake):
        tune(
            shadows=list(snakemake.input.shadows),
            splits=list(snakemake.input.splits),
            output=snakemake.output[0],
            error=snakemake.params.error,
            seeds=seed_list(snakemake.params.seeds),
        )
