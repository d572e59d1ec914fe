"""Check every artifact, table and figure of the configuration that is there; name those damaged or missing."""

import sys
from pathlib import Path

from lmia import artifacts
from workflow.harness import checksums
from workflow.harness.job import AS_BEFORE

KINDS = {"data": "dataset", "splits": "split", "models": "model"}  # of the artifacts in a folder, where not its name


def kind_of(path):
    folder = Path(path).parts[1]
    return KINDS.get(folder, folder)


def problem(path):
    """One line on what is wrong with a result, or None."""
    try:
        checksums.check(path) if checksums.is_recorded(path) else artifacts.load(path, kind_of(path))
    except FileNotFoundError:
        return f"missing: {path}"
    except (artifacts.ArtifactError, checksums.ChecksumError) as error:
        return f"damaged: {error}; rebuild it: snakemake --cores 1 --force {path} {AS_BEFORE}"


problems = [line for line in map(problem, snakemake.params.paths) if line]
damaged = sum(line.startswith("damaged") for line in problems)
sound, missing = len(snakemake.params.paths) - len(problems), len(problems) - damaged
report = "\n".join([*problems, f"{sound} results sound, {damaged} damaged, {missing} not made yet"])
Path(snakemake.log[0]).write_text(report + "\n")
print(report, flush=True)
sys.exit(1 if damaged else 0)
