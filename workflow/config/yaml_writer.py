"""Configurations written as YAML that `yaml_reader` reads as they were."""

from typing import Any

import yaml

from workflow.config.yaml_reader import FORMS


class _Dumper(yaml.SafeDumper):
    """Texts that are numbers, truths or nulls without quotes, to YAML 1.1 or to 1.2, get quotes."""

    yaml_implicit_resolvers = {None: FORMS}

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Breaks of lines, which plain texts lose, are escaped between double quotes."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _text)


def as_yaml(config: dict[str, Any]) -> str:
    """The text of a nested dict of texts, numbers, truths, nulls and lists, its keys in their order."""
    return yaml.dump(config, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
