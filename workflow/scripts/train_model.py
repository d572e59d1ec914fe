"""One model per seed, trained on the members of its role."""

import numpy as np
import torch
from tqdm import tqdm

from lmia import artifacts, plugins
from lmia.checkpoints import to_arrays
from lmia.streams import stream
from lmia.training import accuracy, train
from workflow.job import job
from workflow.seeds import seed_list


def train_models(dataset, split, output, model, training, defense, seeds, role):
    data, source = artifacts.load(dataset, "dataset", {"classes": ("i", 1)})
    parts, drawn = artifacts.load(split, "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
    inputs, classes = torch.from_numpy(data["inputs"]), torch.from_numpy(data["classes"])
    n_classes = int(classes.max()) + 1
    build = plugins.bind("models", "build", model)
    penalty = plugins.bind("defenses", "Defense", defense)().penalty
    arrays, rates = {}, {"train_accuracy": [], "test_accuracy": [], "epochs": []}
    for row, seed in enumerate(tqdm(seeds, desc="models")):
        members, others = (torch.from_numpy(parts[name][row]) for name in ("members", "nonmembers"))
        start = int(stream(seed, f"training of {role}").integers(2**31))
        network, losses = train(build, inputs[members], classes[members], n_classes, start, penalty, **training)
        arrays |= to_arrays(network, seed)
        rates["train_accuracy"].append(accuracy(network, inputs[members], classes[members]))
        rates["test_accuracy"].append(accuracy(network, inputs[others], classes[others]))
        rates["epochs"].append(len(losses))
    arrays |= {name: np.array(values) for name, values in rates.items()}
    provenance = {"model": model, "training": training, "defense": defense, "seeds": seeds, "role": role}
    provenance |= {"dataset": source["sha256"], "split": drawn["sha256"], "torch": torch.__version__}
    artifacts.save(output, "model", arrays, provenance)


with job(
    snakemake,
    plugins.module_name("models", snakemake.params.model["kind"]),
    plugins.module_name("defenses", snakemake.params.defense["kind"]),
):
    train_models(
        dataset=snakemake.input.dataset,
        split=snakemake.input.split,
        output=snakemake.output[0],
        model=snakemake.params.model,
        training=snakemake.params.training,
        defense=snakemake.params.defense,
        seeds=seed_list(snakemake.wildcards.seeds),
        role=snakemake.wildcards.role,
    )
