"""What the targets of a pool say of points that it does not audit: a split whose members have these labels."""

from typing import Any

import numpy as np
import torch

from lmia import artifacts, plugins
from lmia.journal import Journal
from lmia.models.asked_models import TrainedModels
from lmia.models.relabelled_models import relabelled_ids
from lmia.perturbations.original import Perturbation
from lmia.queries.fixed_queries import ask_fixed
from lmia.split_rows import ids_of
from workflow.harness.errors import bad_input
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared
from workflow.harness.terms import terms_of

CANARIES = ("canaries", "canary_classes", "canary_inputs")


def relabel(models: TrainedModels, split: str, output: str, pool: int, n: int, study: str, journal: Journal) -> None:
    """split: of the targets, which says what their pool audits; n: points; study: whose key is wrong for too many."""
    of_targets, _ = artifacts.load(split, "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
    members, nonmembers = (ids_of(of_targets[part][0]) for part in ("members", "nonmembers"))
    examples, (inputs, _) = np.sort(np.concatenate([members, nonmembers])), models.everything
    with bad_input(f"studies.{study}"):
        ids = relabelled_ids(len(inputs), examples, pool, n)
    points, labels = torch.from_numpy(inputs[ids]), []
    for subject in models:
        part, title = journal.part(f"seed {subject.seed}"), f"seed {subject.seed}"
        found, _ = ask_fixed(subject.network, points, Perturbation(), list, progress=title, journal=part)
        labels.append(found[:, 0])
    arrays = {name: of_targets[name] for name in CANARIES if name in of_targets}
    arrays |= {"members": np.tile(ids, (len(labels), 1)), "nonmembers": np.tile(examples, (len(labels), 1))}
    provenance: dict[str, Any] = {"role": "relabelled"} | models.provenance
    artifacts.save(output, "split", arrays | {"labels": np.stack(labels)}, provenance)
    print(f"each of {len(labels)} models was asked about {n} points beside the {len(examples)} that are audited")


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake, *plugins.modules(models=params.model)) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            relabel(
                models=TrainedModels(snakemake.input, params, device, snakemake.threads, terms_of(snakemake)),
                split=snakemake.input.split,
                output=snakemake.output[0],
                pool=params.pool,
                n=params.points,
                study=snakemake.wildcards.study,
                journal=journal_of(snakemake, attempt, device),
            )
