"""The smallest part of a configuration in which a key is still read: what a test has to run for it."""

import copy

from workflow.config.load import ConfigError, check

SECTIONS = ("exhibits", "figures", "studies", "attacks", "queries", "defenses", "models", "datasets")
LISTS = ("defenses", "attacks", "seeds", "n_train")  # of studies


def shrunk(raw, other, place):
    """(configuration, the same with another value at `place`): both without all that neither needs.

    raw, other: nested dicts that differ at `place` alone.
    """
    both, whole = [copy.deepcopy(raw), copy.deepcopy(other)], None
    while both != whole:  # what is needed by nothing any more, can go in the next round
        whole = both
        for take_out in _removals(raw):
            less = [copy.deepcopy(config) for config in both]
            if all(take_out(config) for config in less) and all(_reaches(config, place) for config in less):
                both = less
    return both


def _removals(raw):
    """Functions that take something out of a configuration, and tell whether it was there."""
    for section in SECTIONS:
        for name in raw[section]:
            yield lambda config, section=section, name=name: config[section].pop(name, None) is not None
        if section == "figures":
            for name in raw["studies"]:
                for field in LISTS:
                    for value in raw["studies"][name].get(field, []):
                        yield lambda config, *where, n=name, f=field, v=value: _drop(config["studies"].get(n, {}), f, v)
                yield lambda config, name=name: config["studies"].get(name, {}).pop("outliers", None) is not None


def _drop(study, field, value):
    if value not in study.get(field, []) or len(study[field]) == 1:
        return False
    study[field] = [other for other in study[field] if other != value]
    return True


def _reaches(raw, place):
    try:
        config = check(raw)
    except (ConfigError, KeyError, TypeError):
        return False
    node = raw
    for key in place[:-1]:
        if isinstance(node, dict) and key not in node:
            return False
        node = node[key]
    return len(place) < 2 or _is_used(config, *place[:2])


def _is_used(config, section, name):
    """Whether some study needs an entry."""
    studies = config.studies.values()
    attacks = {attack for study in studies for attack in study.attacks or config.attacks}
    used = {
        "datasets": {study.dataset for study in studies},
        "models": {study.model for study in studies},
        "defenses": {defense for study in studies for defense in study.defenses},
        "attacks": attacks,
        "queries": {config.attacks[attack].reads for attack in attacks},
    }
    return name in used.get(section, {name})
