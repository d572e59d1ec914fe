"""Queries that are crafted for each example of a pool, with gradients of other models than those that are asked."""

from typing import Any

from lmia import plugins
from lmia.journal import Journal
from lmia.models.crafting_models import CraftingModels
from workflow.harness.gpu_locks import take_device
from workflow.harness.job import job
from workflow.harness.journal_file import journal_of
from workflow.harness.shared_cache import take_shared


def craft(models: CraftingModels, output: str, spec: dict[str, Any], journal: Journal) -> None:
    crafting = plugins.bind("crafting", "Crafting", spec)()
    crafted, reached = [], []
    for number, (networks, knows) in enumerate(models.folds()):
        given, title = (networks, knows, models.inputs, models.classes), f"fold {number}"
        found = crafting.craft(*given, box=models.box, progress=title, journal=journal.part(title))
        crafted.append(found[0])
        reached.append(found[1])
        shares = ", ".join(f"{share:.3f}" for share in found[1].mean(axis=0))
        print(f"{title}: shares of searches that got to their end, of each query: {shares}")
    how = {"query": spec, "unit": crafting.unit, "magnitudes": crafting.magnitudes}
    models.save(output, crafted, reached, **how)


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake, *plugins.modules(models=params.model, crafting=params.query)) as attempt:
        device = take_device(snakemake)
        if not take_shared(snakemake, attempt, device):
            craft(
                models=CraftingModels(snakemake.input, params, device, snakemake.threads),
                output=snakemake.output[0],
                spec=params.query,
                journal=journal_of(snakemake, attempt, device),
            )
