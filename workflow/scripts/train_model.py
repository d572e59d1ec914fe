"""One model per seed, trained on the members of its role."""

import numpy as np
import torch
from tqdm import tqdm

from lmia import artifacts, plugins
from lmia.devices import describe, prepare
from lmia.models.checkpoints import to_arrays, weights
from lmia.streams import seed_list
from lmia.training.loop import BatchOfOne
from lmia.training.one_role import train_role
from lmia.training.options import TrainingOptions
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import BadInput, job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared
from workflow.harness.unusable_models import refuse_unusable


def source_weights(path):
    """Weights of the first model of a file."""
    arrays, provenance = artifacts.load(path, "model")
    return weights(arrays, provenance["seeds"][0])


def provenance_of(inputs, params, device):
    """What the models are made from, and with what."""
    made = {name: artifacts.recorded_checksum(path) for name, path in inputs.items() if path}
    made |= {name: params[name] for name in ("model", "training", "defense")}
    made |= {"seeds": seed_list(params.seeds), "role": params.role}
    return made | {"torch": torch.__version__, "device": describe(device)}


def train_models(inputs, output, params, device, threads, journal, name):
    prepare(device, threads)
    provenance = provenance_of(inputs, params, device)
    data, _ = artifacts.load(inputs["dataset"], "dataset", {"classes": ("i", 1)})
    split, _ = artifacts.load(inputs["split"], "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
    build = plugins.bind("models", "build", params.model)
    refuse_unusable(build, data["inputs"], int(data["classes"].max()) + 1, name)
    new_defense = plugins.bind("defenses", "Defense", params.defense)
    source = source_weights(inputs["source"]) if inputs["source"] else {}
    arrays, records = {}, []
    for row, seed in enumerate(tqdm(provenance["seeds"], desc="models")):
        network, record = train_role(
            build,
            data,
            split["members"][row],
            split["nonmembers"][row],
            seed,
            params.role,
            new_defense(),
            TrainingOptions(**params.training),
            source=source,
            device=device,
            journal=journal.part(f"seed {seed}"),
        )
        arrays |= to_arrays(network, seed)
        records.append(record)
    flags = [record.pop("flag") for record in records]
    arrays |= {name: np.array([record[name] for record in records]) for name in records[0]}
    arrays |= {"flags": np.array(flags)} if any(flags) else {}
    artifacts.save(output, "model", arrays, provenance)


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake, *plugins.modules(models=params.model, defenses=params.defense)) as attempt:
        device = take_device(snakemake)  # before long work
        if not take_shared(snakemake, attempt, device):
            try:
                train_models(
                    inputs={name: snakemake.input.get(name) for name in ("dataset", "split", "source")},
                    output=snakemake.output[0],
                    params=params,
                    device=device,
                    threads=snakemake.threads,
                    journal=journal_of(snakemake, attempt, device),
                    name=snakemake.config["studies"][snakemake.wildcards.study]["model"],
                )
            except BatchOfOne as error:
                raise BadInput(f"studies.{snakemake.wildcards.study}.training.{error}") from error
