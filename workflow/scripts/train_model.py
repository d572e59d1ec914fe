"""One model per seed, trained on the members of its role."""

from functools import partial

import numpy as np
import torch
from tqdm import tqdm

from lmia import artifacts, plugins
from lmia.devices import describe, prepare
from lmia.models.checkpoints import to_arrays, weights
from lmia.streams import stream
from lmia.training.loop import BatchOfOne, model_flag, predict, share, train
from lmia.training.options import TrainingOptions
from workflow.harness.gpus import take_device
from workflow.harness.job import BadInput, job
from workflow.harness.journals import journal_of
from workflow.harness.model_guard import refuse_unusable
from workflow.harness.shared_cache import take_shared
from workflow.seeds import seed_list


def points(data, ids, device):
    """(inputs, classes) of these examples, on the device that trains."""
    return tuple(torch.from_numpy(data[name][ids]).to(device) for name in ("inputs", "classes"))


def reference_points(data, members, nonmembers, draw, device):
    """(inputs, classes) of as many points as members, or as are left, of those that are neither; see `base.Defense`."""
    others = np.setdiff1d(np.arange(len(data["classes"])), np.concatenate([members, nonmembers]))
    rows = np.sort(draw.permutation(others)[: len(members)])
    if not len(rows):
        raise ValueError("the defense needs points beside members and non-members, and the data set has none left")
    return points(data, rows, device)


def source_weights(path):
    """Weights of the first model of a file."""
    arrays, provenance = artifacts.load(path, "model")
    return weights(arrays, provenance["seeds"][0])


def made_from(snakemake, seeds, device):
    """What the models are made from, and with what: their provenance."""
    params, inputs = snakemake.params, {name: snakemake.input.get(name) for name in ("dataset", "split", "source")}
    made = {name: artifacts.recorded_checksum(path) for name, path in inputs.items() if path}
    made |= {name: params[name] for name in ("model", "training", "defense")}
    made |= {"seeds": seeds, "role": params.role}
    return made | {"torch": torch.__version__, "device": describe(device)}


def train_models(dataset, split, output, provenance, source, device, journal, name):
    seeds, role = provenance["seeds"], provenance["role"]
    data, _ = artifacts.load(dataset, "dataset", {"classes": ("i", 1)})
    parts, _ = artifacts.load(split, "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
    n_classes = int(data["classes"].max()) + 1
    build = plugins.bind("models", "build", provenance["model"])
    refuse_unusable(build, data["inputs"], n_classes, name)
    new_defense = plugins.bind("defenses", "Defense", provenance["defense"])
    options = TrainingOptions(**provenance["training"])
    given = source_weights(source) if source else None
    arrays, flags, rates = {}, [], {"train_accuracy": [], "test_accuracy": [], "epochs": []}
    for row, seed in enumerate(tqdm(seeds, desc="models")):
        ids = [parts[name][row] for name in ("members", "nonmembers")]
        members, others = (points(data, some, device) for some in ids)
        start = int(stream(seed, f"training of {role}").integers(2**31))
        protection = new_defense()
        protection.supply(
            reference=partial(reference_points, data, *ids, stream(seed, f"reference points of {role}"), device),
            source=lambda: given,
        )
        progress = journal.part(f"seed {seed}")
        network, losses = train(build, *members, n_classes, start, protection, options, progress)
        arrays |= to_arrays(network, seed)
        predicted, tested = predict(network, members[0]), predict(network, others[0])
        rates["train_accuracy"].append(share(predicted, members[1]))
        rates["test_accuracy"].append(share(tested, others[1]))
        flags.append(model_flag(losses, predicted, tested, others[1]))
        rates["epochs"].append(len(losses))
        for name, value in protection.report().items():
            rates.setdefault(name, []).append(value)
    arrays |= {name: np.array(values) for name, values in rates.items()}
    arrays |= {"flags": np.array(flags)} if any(flags) else {}
    artifacts.save(output, "model", arrays, provenance)


with job(
    snakemake,
    plugins.module_name("models", snakemake.params.model["kind"]),
    plugins.module_name("defenses", snakemake.params.defense["kind"]),
) as attempt:
    device = take_device(snakemake)  # before long work
    prepare(device, snakemake.threads)
    if not take_shared(snakemake, attempt, device):
        try:
            train_models(
                dataset=snakemake.input.dataset,
                split=snakemake.input.split,
                output=snakemake.output[0],
                provenance=made_from(snakemake, seed_list(snakemake.params.seeds), device),
                source=snakemake.input.source,
                device=device,
                journal=journal_of(snakemake, attempt, device),
                name=snakemake.config["studies"][snakemake.wildcards.study]["model"],
            )
        except BatchOfOne as error:
            raise BadInput(f"studies.{snakemake.wildcards.study}.training.{error}") from error
