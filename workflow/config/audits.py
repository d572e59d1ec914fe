"""Audits written out as the studies that they are short for."""

import re
from collections.abc import Iterator
from typing import Any

from workflow.config.schema.configuration import Config
from workflow.config.schema.datasets import Dataset

OWN_WORDS = {"model": "target", "seeds": "seed"}  # key of a study -> of an audit, where they differ


def name_mistakes(config: Config) -> Iterator[str]:
    """Lines for what keeps audits from being studies."""
    for name in config.audits:
        if name in config.studies:
            yield f"audits.{name}: there is a study of this name too, and an audit is one; rename one"
    if not config.audits and not config.studies:
        yield "studies: there is none; say there what is to be run, or name models that exist under audits"


def with_studies(config: Config) -> Config:
    """The same configuration, with a study for each audit, too."""
    studies = {
        name: audit.as_study(audit.n_train or _n_known(config.datasets.get(audit.dataset)))
        for name, audit in config.audits.items()
    }
    return config.model_copy(update={"studies": config.studies | studies})


def size_mistakes(config: Config) -> Iterator[str]:
    """Lines for audits that do not say how large the training set was, where the known members do not tell.

    config: with studies for its audits, and sound.
    """
    for name, audit in config.audits.items():
        study = config.studies[name]
        if audit.n_train is None and config.is_without_members(study):
            names = [name for name in config.attacks_of(study) if config.query_of(name).observation == "references"]
            if names:
                yield (
                    f"audits.{name}.n_train: missing; {' and '.join(names)}: needs models trained on as many records "
                    "as the given one, and too few members are known to tell how many; state the size of the whole "
                    "training set, or leave the attack out"
                )


def _n_known(dataset: Dataset | None) -> int:
    """Known members, at least 1: where they tell nothing, `size_mistakes` or the checks of data sets say so."""
    if dataset is None:
        return 1
    try:
        dataset.check()
        return max(1, dataset.known()[0])
    except (OSError, ValueError):
        return 1


def in_own_words(line: str, config: Config) -> str:
    """A message in which keys of studies that audits stand for are those of the audits."""
    written = {f"studies.{name}": f"studies.{name}" for name in config.studies}  # longer names go before their parts
    for name in config.audits:
        written |= {f"studies.{name}.{key}": f"audits.{name}.{own}" for key, own in OWN_WORDS.items()}
        written[f"studies.{name}"] = f"audits.{name}"
    keys = "|".join(map(re.escape, sorted(written, key=len, reverse=True)))
    return re.sub(rf"({keys})(?![\w-])", lambda found: written[found[0]], line)


def written_out(raw: dict[str, Any], config: Config) -> dict[str, Any]:
    """A configuration (nested dict, all layers in one) with studies in the place of audits: it stands alone.

    config: what `check` makes of it.
    """
    studies = {name: config.studies[name].model_dump(mode="json", exclude_unset=True) for name in config.audits}
    rest = {key: section for key, section in raw.items() if key not in ("base", "audits")}
    return {"base": "none", **rest, "studies": {**raw.get("studies", {}), **studies}}
