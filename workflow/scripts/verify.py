"""Check every artifact, table and figure of the configuration that is there; name those damaged, stale or missing."""

import sys
from pathlib import Path

from lmia import artifacts
from workflow.harness import checksums
from workflow.harness.job import AS_BEFORE

KINDS = {"data": "dataset", "splits": "split", "models": "model"}  # of the artifacts in a folder, where not its name


def kind_of(path: str) -> str:
    folder = Path(path).parts[1]
    return KINDS.get(folder, folder)


def problem(path: str, stale: dict[str, str]) -> str | None:
    """One line on what is wrong with a result, or None. stale: path -> what differs from what its job would make."""
    try:
        checksums.check(path) if checksums.lies_apart(path) else artifacts.load(path, kind_of(path))
    except FileNotFoundError:
        return f"missing: {path}"
    except (artifacts.ArtifactError, checksums.ChecksumError) as error:
        return f"damaged: {error}; rebuild it: snakemake --cores 1 --force {path} {AS_BEFORE}"
    return f"stale: {path}: {stale[path]}" if path in stale else None


def verify(paths: list[str], stale: dict[str, str], log: str) -> bool:
    """Report on all paths; returns whether nothing that is there is damaged or stale."""
    problems = [line for path in paths if (line := problem(path, stale))]
    count = {word: sum(line.startswith(word) for line in problems) for word in ("damaged", "stale", "missing")}
    sound = f"{len(paths) - len(problems)} results sound"
    summary = f"{sound}, {count['damaged']} damaged, {count['stale']} stale, {count['missing']} not made yet"
    report = "\n".join([*problems, summary])
    Path(log).write_text(report + "\n")
    print(report, flush=True)
    return not (count["damaged"] or count["stale"])


if __name__ == "__main__":
    is_sound = verify(snakemake.params.paths, snakemake.config["stale"], snakemake.log[0])
    sys.exit(0 if is_sound else 1)
