"""Which share of forward passes alone our searches reach around a network: yours, or one of three small ones.

python benchmarks/own_network.py [--model FILE --data NPZ (--build MODULE | --trust SHA256)] [--beside CHECKOUT]
                                 [--points 1000] [--published 1000] [--economical 500] [--repetitions 5] [--out CSV]

FILE is a `state_dict` of torch.save, whose network build(shape, n_classes) of MODULE makes, or TorchScript of this
SHA-256, which is run. NPZ holds `inputs`, n examples as a data set of `kind: npz` has them, and `classes`. Without them
the networks are MLPs of 64-128-10, 784-64-10 and 446-128-30, on random inputs. The first points are searched, and
searches start among up to 2,000 others. CHECKOUT is another one of lmia, by turns with this one in every repetition.

A share is the rate of queries by that of forward passes alone, with the best batch, right before and after. Rates are
by CPU time of one thread. Run from the repository root.
"""

import argparse
import csv
import importlib
import multiprocessing
import sys
from functools import partial
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SMALL = {"64-128-10": ((1, 8, 8), 128, 10), "784-64-10": ((1, 28, 28), 64, 10), "446-128-30": ((446,), 128, 30)}
POOL = 2000
SECONDS = 0.05  # of a look at one batch size


def small(name, n):
    """(model, inputs (n + POOL, *shape)) of an MLP in SMALL, whose weights are large enough for all of its classes."""
    import torch

    from lmia.models import mlp

    shape, hidden, n_classes = SMALL[name]
    torch.manual_seed(0)
    model = mlp.build(shape, n_classes, hidden=(hidden,))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    return model, torch.rand(n + POOL, *shape, generator=torch.Generator().manual_seed(1))


def own(path, data, build, trust, n):
    """(model, inputs) of a user's files. Raises ValueError where they are not what is expected."""
    import torch

    from lmia.data import npz
    from lmia.targets import torch as weights
    from lmia.targets import torchscript

    inputs, classes = npz.load(data)
    sys.path.insert(0, "")
    make = importlib.import_module(build).build if build else partial(torchscript.build, trust=trust)
    model = make(inputs.shape[1:], int(classes.max()) + 1)
    (weights if build else torchscript).load(model, path)
    return model, torch.from_numpy(inputs[: n + POOL])


def serve(checkout, subject, n, ends):
    """Answer each (schedule, budget) by (queries per CPU second, those of forward passes alone), by a checkout's code.

    subject: n -> (model, inputs).
    """
    sys.path[:0] = [str(checkout), str(ROOT / "benchmarks")]
    import engine
    import torch
    from rivals import Points

    from lmia.devices import prepare
    from workflow.harness.freed_memory import keep_freed_memory

    device = torch.device("cpu")
    prepare(device, 1)
    keep_freed_memory()
    model, inputs = subject(n)
    model = model.eval().requires_grad_(False)
    with torch.inference_mode():
        classes = torch.cat([model(part).argmax(1) for part in inputs.split(256)]).clone()
    n = min(n, len(inputs) // 2)
    points = Points(inputs[:n], classes[:n], np.arange(n), inputs[n:], classes[n:])
    ceilings = [engine.Ceiling(model, inputs.shape[1:], "float32", batch) for batch in engine.BATCHES["cpu"]]
    while asked := ends.recv():
        schedule, budget = asked
        before = max(ceiling.rate(SECONDS) for ceiling in ceilings)
        start = engine.now(device)
        n_queries = engine.search(model, points, schedule, range(n), budget)
        rate = n_queries / (engine.now(device) - start)
        ends.send((rate, (before + max(ceiling.rate(SECONDS) for ceiling in ceilings)) / 2))


def measure(name, subject, checkouts, n, budgets, repetitions):
    """Rows of the table of one network."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for checkout in checkouts:
        ours, theirs = context.Pipe()
        processes.append(context.Process(target=serve, args=(checkout, subject, n, theirs), daemon=True))
        processes[-1].start()
        theirs.close()
        pipes.append(ours)

    def ask(schedule, budget):
        for pipe in pipes:
            pipe.send((schedule, budget))
            yield pipe.recv()

    for schedule, budget in budgets.items():
        list(ask(schedule, min(budget, 100)))  # the first search of a process builds its tables
        found = np.array([list(ask(schedule, budget)) for _ in range(repetitions)])  # (repetitions, checkouts, 2)
        shares = found[..., 0] / found[..., 1]
        row = {"network": name, "search": schedule, "share": np.median(shares[:, 0])}
        row |= {"share_low": shares[:, 0].min(), "share_high": shares[:, 0].max()}
        if len(pipes) > 1:
            row["share_beside"] = np.median(shares[:, 1])
            row["times_as_fast"] = np.median(found[:, 0, 0] / found[:, 1, 0])
        row = {key: value if isinstance(value, str) else round(float(value), 3) for key, value in row.items()}
        rate, ceiling = (round(float(median)) for median in np.median(found[:, 0], axis=0))
        yield row | {"queries_per_cpu_second": rate, "ceiling_per_cpu_second": ceiling}
    for pipe in pipes:
        pipe.send(None)
    for process in processes:
        process.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, help="your network")
    parser.add_argument("--data", type=Path, help="its data, .npz")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--build", help="module with build(shape, n_classes), for a state_dict")
    kind.add_argument("--trust", help="SHA-256 of a TorchScript file, which is run")
    parser.add_argument("--beside", type=Path, help="another checkout of lmia, measured by turns with this one")
    parser.add_argument("--points", type=int, default=1000, help="how many are searched at once")
    parser.add_argument("--published", type=int, default=1000, help="budget of that schedule, queries per point")
    parser.add_argument("--economical", type=int, default=500, help="the same of this one")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--out", type=Path, help="table to write, .csv")
    options = parser.parse_args()
    if (options.model is None) != (options.data is None):
        parser.error("--model and --data: expected both or neither")
    if options.model and not (options.build or options.trust):
        parser.error("--model: expected --build for a state_dict, or --trust for TorchScript")
    networks = {name: partial(small, name) for name in SMALL}
    if options.model:
        files = options.model, options.data, options.build, options.trust
        networks = {options.model.stem: partial(own, *files)}
    checkouts = [ROOT, *([options.beside.resolve()] if options.beside else [])]
    budgets = {name: getattr(options, name) for name in ("published", "economical")}
    rows = []
    for name, subject in networks.items():
        for row in measure(name, subject, checkouts, options.points, budgets, options.repetitions):
            rows.append(row)
            print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    if options.out:
        with open(options.out, "w", newline="") as file:
            table = csv.DictWriter(file, rows[0], lineterminator="\n")
            table.writeheader()
            table.writerows(rows)


if __name__ == "__main__":
    main()
