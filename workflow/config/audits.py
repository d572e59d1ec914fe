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


def _n_known(dataset: Dataset | None) -> int:
    """Known members; 1 where nothing tells them, which checks of data sets and studies refuse in words of their own."""
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
