# The checked configuration, the wildcards of file names, and what rules take from workflow/config: PATHS, PARAMS, code.
import functools
import os
import pathlib
import re

from snakemake.exceptions import WorkflowError

from workflow.config.audits import written_out
from workflow.config.costs import bill
from workflow.config.load import check, plug_ins, read_layers
from workflow.config.job_params import Params, plain
from workflow.config.result_files import Paths
from workflow.config.yaml_reader import ConfigError
from workflow.harness.bytecode import check_by_hash
from workflow.harness.fingerprint import fingerprint


def sound(step, *arguments):
    """What a step of reading the configuration gives, or an error of Snakemake's own kind, which shows as it is."""
    try:
        return step(*arguments)
    except ConfigError as error:
        raise WorkflowError(f"the configuration cannot be run:\n{error}") from None


# Snakemake has read these by itself, by the rules of YAML 1.1, and kept one of the keys that are there twice. Jobs in a
# cluster are Snakemakes that get the same files and arguments.
whole, files_below = sound(
    read_layers,
    workflow.overwrite_configfiles,
    workflow.config_settings.config_args or [],
)
workflow.configfiles += files_below  # as `configfile:` does, for reports and archives
CONFIG = sound(check, whole)
config.clear()
config.update(written_out(whole, CONFIG))
check_by_hash(file for own in plug_ins(CONFIG).values() for file in own)

# Jobs read these there and not among their params: how often they save, and what they share, changes no result,
# and a machine without a GPU is not to repeat what a GPU made.
config["files"] = {}  # what `files` gives -> paths
config["save_every"] = CONFIG.save_every
config["device"] = CONFIG.device
config["cache"] = CONFIG.cache or os.environ.get("LMIA_CACHE")
config["terms"] = {name: target.terms() for name, target in CONFIG.targets.items()}


def caption(name, figure):
    """For report/figure.rst: what a figure shows and, where it is drawn already, the lines of its caption."""
    file = pathlib.Path(f"results/figures/{name}.txt")
    lines = file.read_text(encoding="utf-8") if file.exists() else ""
    return re.sub(
        r"([*_`|\\])", r"\\\1", f"{figure.said()} {lines}"
    )  # nothing is markup


config["captions"] = {
    name: caption(name, figure) for name, figure in CONFIG.figures.items()
}

PATHS = Paths(CONFIG)
PARAMS = Params(CONFIG, config["files"])


def any_of(names):
    return "|".join(map(re.escape, names)) or "(?!)"


def queries_yielding(observation):
    queries = CONFIG.queries.items()
    return any_of(name for name, query in queries if query.observation == observation)


def queries_of(kind):
    queries = CONFIG.queries.items()
    return any_of(name for name, query in queries if query.kind == kind)


def queries_crafted():
    return any_of(name for name, query in CONFIG.queries.items() if query.crafted_from)


def figures_from(results):
    figures = CONFIG.figures.items()
    return any_of(name for name, figure in figures if figure.drawn_from == results)


def studies_of(*schemes):
    """Those whose splits are of these schemes."""
    return any_of(
        name for name, study in CONFIG.studies.items() if study.splits in schemes
    )


wildcard_constraints:
    study=any_of(CONFIG.studies),
    cell=r"n\d+-[^/]+",
    seeds=r"\d+(-\d+)?",
    role=r"target|in-question|shadow\d+|surrogate\d+|relabelled\d+",
    attack=any_of(CONFIG.attacks),
    figure=any_of(CONFIG.figures),
    exhibit=any_of(CONFIG.exhibits),


def growing(amount):
    """A resource of which every retry gets more: what ran out of it has another chance."""
    return lambda wildcards, attempt: amount * attempt


# Slurm's, for rules with gpu=1. No profile names it: one --set-resources on the command line replaces all of a profile.
partition = os.environ.get("LMIA_GPU_PARTITION")
GPU_PARTITION = {"slurm_partition": partition} if partition else {}


def refuse_more_gpus_than_there_are():
    """Snakemake would cut a request silently down to `--resources gpu=N`, and the job would find fewer than it needs."""
    there = workflow.global_resources.get("gpu").value
    if there is None:
        return
    for declared in workflow.rules:
        resource = declared.resources.get("gpu")
        asked = resource.raw  # as declared or as --set-resources says
        more = f"allow more (--resources gpu={asked})"
        if resource.is_evaluable():  # what that comes to, only jobs know
            asked, more = asked or "a function's result of", "ask for a plain number"
        elif not isinstance(asked, int) or asked <= there:
            continue
        raise WorkflowError(
            f"{declared.name} asks for {asked} GPUs, and --resources or the profile allows {there}: ask for fewer "
            f"(--set-resources {declared.name}:gpu={there}) or {more}"
        )


@functools.cache
def code(stage, *modules):
    """Hashes of a stage's script and of all that it imports; `modules` are those that the config chooses.

    Once for all jobs of a kind: the walk over imports would take longer than all else that a plan needs.
    """
    return fingerprint(f"workflow/scripts/{stage}.py", *modules)


def code_for(stage, *entries):
    """Of the modules behind the entries, or lists of them, that functions give for a job's wildcards."""

    def hashes(wc):
        found = [entry(wc) for entry in entries]
        several = [each if isinstance(each, list) else [each] for each in found]
        entries_found = [entry for each in several for entry in each]
        return code(stage, *(name for entry in entries_found for name in entry.modules))

    return hashes


def figure_output():
    return report(
        "results/figures/{figure}.png",
        caption="../report/figure.rst",
        category="Figures",
        subcategory="{figure}",
        labels={"figure": "{figure}"},
    )


def exhibit_output(table):
    return report(
        f"results/exhibits/{{exhibit}}/{table}.csv",
        caption="../report/exhibit.rst",
        category="Beside the paper",
        subcategory="{exhibit}",
        labels={"exhibit": "{exhibit}", "table": table},
    )
