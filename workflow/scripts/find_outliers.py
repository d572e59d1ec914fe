"""Which of the target's evaluated points are outliers, by the features of the first shadow model."""

from lmia import plugins
from lmia.evaluation.outliers import find_outliers
from lmia.models.features import distance_to_neighbour, penultimate
from workflow.frozen import FrozenModels
from workflow.harness.job import job
from workflow.seeds import seed_list


def find(frozen, output, spec):
    columns = {"distances": [], "is_outlier": [], "example_ids": []}
    deltas = []
    for _, shadow, inputs, _, ids in frozen:
        distances = distance_to_neighbour(penultimate(shadow, inputs), spec["neighbours"])
        is_outlier, delta = find_outliers(distances, spec["fraction"])
        for name, values in zip(columns, (distances, is_outlier, ids), strict=True):
            columns[name].append(values)
        deltas.append(delta)
    frozen.save(output, "outliers", columns, {"outliers": spec, "deltas": deltas})


with job(snakemake, plugins.module_name("models", snakemake.params.model["kind"])):
    find(
        frozen=FrozenModels(snakemake, seed_list(snakemake.params.seeds)),
        output=snakemake.output[0],
        spec=snakemake.params.outliers,
    )
