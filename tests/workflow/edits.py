"""Edits of a checkout of the small study, and which rules they run again."""

import os
import py_compile

RUN = "small/n60-none/0-1"
PLOTS_OF_METRICS = {"tabulate_study": 1, "tabulate_metrics": 1, "plot_metrics": 1}
FROM_SCORES = {"score_attack": 1, "measure_attack": 1} | PLOTS_OF_METRICS
FROM_TRAINING = {
    "train_model": 2,
    "query_labels": 6,
    "search_boundary": 4,
    "fit_stopping": 1,
    "query_confidences": 2,
    "query_white_box": 2,
    "score_attack": 7,
    "measure_attack": 7,
    "measure_models": 1,
    "plot_scores": 1,
} | PLOTS_OF_METRICS
NAMED = {"measure_attack": 7, "measure_models": 1, "plot_scores": 1}  # which show names


def set_in(*path, value):
    """A change of the configuration: one key gets one value."""

    def change(config):
        for key in path[:-1]:
            config = config[key]
        config[path[-1]] = value

    return change


def code(file, old, new):
    return lambda checkout: checkout.edit(file, old, new)


def config(*path, value):
    return lambda checkout: checkout.configure(set_in(*path, value=value))


def rename_study(checkout):
    def change(config):
        config["studies"]["renamed"] = config["studies"].pop("small")
        for figure in config["figures"].values():
            figure["study"] = "renamed"

    checkout.configure(change)


def edit_unseen(checkout, file, old, new):
    """An edit of equal length, after which the file has its old time, and bytecode of it as Python usually makes it."""
    path = checkout.path / file
    stat = path.stat()
    py_compile.compile(str(path), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    assert len(old) == len(new)
    checkout.edit(file, old, new)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
