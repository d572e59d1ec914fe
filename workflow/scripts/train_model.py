"""One model per seed, trained on the members of its role."""

from typing import Any

import torch

from lmia import artifacts, plugins
from lmia.canaries import given_classes
from lmia.devices import describe, prepare
from lmia.journal import Journal
from lmia.models.checkpoints import load_first
from lmia.streams import seed_list
from lmia.training.loop import BatchOfOne
from lmia.training.one_role import train_block
from lmia.training.options import TrainingOptions
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import BadInput, job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared
from workflow.harness.unusable_models import refuse_unusable


def train_models(
    files: dict[str, str], output: str, params: Any, device: torch.device, journal: Journal, name: str
) -> None:
    data, _ = artifacts.load(files["dataset"], "dataset", {"classes": ("i", 1)})
    split, _ = artifacts.load(files["split"], "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
    data["classes"] = given_classes(data["classes"], split)
    build = plugins.bind("models", "build", params.model)
    refuse_unusable(build, data["inputs"], int(data["classes"].max()) + 1, name)
    new_defense, seeds = plugins.bind("defenses", "Defense", params.defense), seed_list(params.seeds)
    source, options = load_first(files["source"]) if "source" in files else {}, TrainingOptions(**params.training)
    arrays = train_block(build, data, split, seeds, params.role, new_defense, options, source, device, journal)
    provenance = {name: artifacts.recorded_checksum(path) for name, path in files.items()}
    provenance |= {name: params[name] for name in ("model", "training", "defense", "role")} | {"seeds": seeds}
    provenance |= {"torch": torch.__version__, "device": describe(device)}
    artifacts.save(output, "model", arrays, provenance)


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
                    name=snakemake.config["studies"][snakemake.wildcards.study]["model"],
                )
            except BatchOfOne as error:
                raise BadInput(f"studies.{snakemake.wildcards.study}.training.{error}") from error
