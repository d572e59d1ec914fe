"""One model for each target of a block, trained on what that target says of points beside its pool."""

from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from lmia import artifacts, plugins
from lmia.canaries import given_classes
from lmia.devices import describe, prepare
from lmia.journal import Journal
from lmia.models.checkpoints import load_first, to_arrays
from lmia.models.relabelled_models import relabelled_classes
from lmia.split_rows import ids_of
from lmia.streams import seed_list
from lmia.training.loop import BatchOfOne
from lmia.training.one_role import train_role
from lmia.training.options import TrainingOptions
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import BadInput, job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared


def train_models(files: dict[str, str], output: str, params: Any, device: torch.device, journal: Journal) -> None:
    data, _ = artifacts.load(files["dataset"], "dataset", {"classes": ("i", 1)})
    split, _ = artifacts.load(files["split"], "split", {"members": ("i", 2), "labels": ("i", 2)})
    classes = given_classes(data["classes"], split)
    build = plugins.bind("models", "build", params.model)
    new_defense, options = plugins.bind("defenses", "Defense", params.defense), TrainingOptions(**params.training)
    source = load_first(files["source"]) if "source" in files else {}
    seeds, arrays, records = seed_list(params.seeds), {}, []
    for row, seed in enumerate(tqdm(seeds, desc="models")):
        network, record = train_role(
            build,
            data | {"classes": relabelled_classes(classes, split, row)},
            ids_of(split["members"][row]),
            ids_of(split["nonmembers"][row]),
            seed,
            params.role,
            new_defense(),
            options,
            source,
            device,
            journal.part(f"seed {seed}"),
            split,
        )
        arrays |= to_arrays(network, seed)
        records.append(record)
        print(f"seed {seed}: {record}")
    flags = [record.pop("flag") for record in records]
    arrays |= {name: np.array([record[name] for record in records]) for name in records[0]}
    arrays |= {"flags": np.array(flags)} if any(flags) else {}
    provenance = {name: artifacts.recorded_checksum(path) for name, path in files.items()}
    provenance |= {name: params[name] for name in ("model", "training", "defense", "role")} | {"seeds": seeds}
    artifacts.save(output, "model", arrays, provenance | {"torch": torch.__version__, "device": describe(device)})


if __name__ == "__main__":
    inputs, params = snakemake.input, snakemake.params
    with job(snakemake, *plugins.modules(models=params.model, defenses=params.defense)) as attempt:
        device = take_device(snakemake)  # before long work
        if not take_shared(snakemake, attempt, device):
            prepare(device, snakemake.threads)
            try:
                train_models(
                    files={name: inputs[name] for name in ("dataset", "split", "source") if inputs.get(name)},
                    output=snakemake.output[0],
                    params=params,
                    device=device,
                    journal=journal_of(snakemake, attempt, device),
                )
            except BatchOfOne as error:
                raise BadInput(f"studies.{snakemake.wildcards.study}.training.{error}") from error
