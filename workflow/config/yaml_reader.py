"""Configurations as plain values: read from YAML without running what is in it, and refused where they are no tree.

Numbers, truth values and nulls are those of YAML 1.2's core schema: 1e-3 is a number, 2024-01-01 a text. PyYAML, which
Snakemake reads with, knows version 1.1 alone.
"""

import re
from pathlib import Path
from typing import IO, Any, NoReturn

import yaml
from yaml.constructor import ConstructorError

MAX_VALUES, MAX_DEPTH, MAX_LENGTH = 100_000, 20, 10_000  # values in all; levels of nesting; characters of a text
TEMPLATE = "__use_yte__"
NULL, BOOL, INT, FLOAT, MERGE = (f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "merge"))
TWO_READINGS = (
    "!two_readings"  # a number or a truth to YAML 1.1, and another or none to 1.2: nobody knows which is meant
)
OLD = [
    pattern
    for forms in yaml.SafeLoader.yaml_implicit_resolvers.values()
    for tag, pattern in forms
    if tag in {BOOL, INT, FLOAT}
]
# What a text without quotes is; the first that fits counts.
FORMS = [
    (TWO_READINGS, re.compile(r"[-+]?0[0-9]+\Z")),  # 010 is 8 or 10
    (NULL, re.compile(r"(~|null|Null|NULL|)\Z")),
    (BOOL, re.compile(r"(true|True|TRUE|false|False|FALSE)\Z")),
    (INT, re.compile(r"([-+]?(0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+)\Z")),
    (
        FLOAT,
        re.compile(r"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z"),
    ),
    (MERGE, re.compile(r"<<\Z")),
    *((TWO_READINGS, pattern) for pattern in dict.fromkeys(OLD)),
]


class ConfigError(ValueError):
    """A configuration that cannot be run; the message has one line per mistake."""


def is_number(text: str) -> bool:
    """Whether a text is a number, and to all who read YAML the same one."""
    return next((tag in (INT, FLOAT) for tag, pattern in FORMS if pattern.match(text)), False)


class _Loader(yaml.SafeLoader):
    """Values without tags, in mappings that have each key once, and are merged (`<<`) one into another only.

    A list of merges in a list of merges, and so on, would stand for more than memory holds in a few lines.
    """

    yaml_implicit_resolvers = {None: FORMS}
    n_merged = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()
        if getattr(event, "tag", None):
            _refuse(event, f"{event.tag[:80]} is a tag; write the value alone, a text in quotes")
        node: Any = super().compose_node(parent, index)
        if node.tag == TWO_READINGS:
            how = "write a number as 1000 or 0.001, a truth as true or false, and put a text in quotes"
            _refuse(node, f"{node.value[:80]} is read in two ways; {how}")
        return node

    def compose_mapping_node(self, anchor: Any) -> Any:
        node: Any = super().compose_mapping_node(anchor)
        names, size = set(), len(node.value)
        for key, value in node.value:
            if key.tag == MERGE and not isinstance(value, yaml.MappingNode):
                _refuse(key, "<< takes one mapping, and no list")
            if isinstance(key, yaml.ScalarNode) and key.value in names:
                _refuse(key, f"the key {key.value[:80]} is there twice")
            names.add(str(key.value))
        self.flatten_mapping(node)
        self.n_merged += len(node.value) - size
        if self.n_merged > MAX_VALUES:
            _refuse(node, f"more than {MAX_VALUES} keys by <<")
        return node


def _refuse(where: Any, problem: str) -> NoReturn:
    raise ConstructorError(problem=problem, problem_mark=where.start_mark)


def _parsed(text: str | IO[str]) -> Any:
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def read(path: str | Path) -> dict[str, Any]:
    """The nested dict of a YAML file; an empty file has no keys.

    Raises ConfigError, naming the file, where it cannot be read, is no mapping, is a template, has a key twice, a tag
    or a merge of a list of mappings, or holds what `refuse_others` refuses.
    """
    try:
        with open(path, encoding="utf-8") as file:
            content = _parsed(file)
        content = {} if content is None else content
        if not isinstance(content, dict):
            raise ConfigError(f"expected keys with values at its top, found a {type(content).__name__}")
        if TEMPLATE in content:
            raise ConfigError(f"{TEMPLATE}: a template, which is a program; write the values themselves")
        refuse_others(content)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name a YAML file") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}: line {line}: no plain YAML ({error.problem}); mend or remove it") from error
    except Exception as error:  # numbers and nesting that no Python value has
        told = " ".join(str(error).split())
        raise ConfigError(f"{path}: no plain YAML ({type(error).__name__}: {told}); mend it") from error
    return content


def read_argument(argument: str) -> dict[str, Any]:
    """The nested dict of one of `--config`'s arguments, key=value; a value that is no YAML is a text, as Snakemake has
    it. Raises ConfigError where nobody can know what it means.
    """
    key, _, value = argument.partition("=")
    try:
        content = {key: _parsed(value)}
        refuse_others(content)
    except ConstructorError as error:
        raise ConfigError(f"--config {key}: {error.problem}") from error
    except ConfigError as error:
        raise ConfigError(f"--config {error}") from None
    except Exception:  # as many kinds of errors as there are texts
        return {key: value}
    return content


def refuse_others(config: Any) -> None:
    """Raise ConfigError unless a nested dict is a moderate tree of texts, 64-bit numbers, truth values and nulls.

    A few lines of YAML can refer to themselves, or stand for more values than memory holds: nothing else may walk
    through a configuration before this has.
    """
    pending: list[tuple[tuple[str, ...], Any]] = [((), config)]
    for keys, value in pending:  # which grows meanwhile
        if problem := _problem(value, len(keys)):
            raise ConfigError(f"{'.'.join(keys) or 'top'}: {problem}")
        if isinstance(value, dict):
            pending += [((*keys, key), part) for key, part in value.items()]
        if isinstance(value, list):
            pending += [((*keys, str(number)), part) for number, part in enumerate(value)]
        if len(pending) > MAX_VALUES:
            raise ConfigError(f"more than {MAX_VALUES} values, aliases counted as often as they are used; shorten it")


def _problem(value: Any, level: int) -> str | None:
    """What is wrong with a value, None where nothing is."""
    if level > MAX_DEPTH:
        return f"nested deeper than {MAX_DEPTH} levels; no key goes that deep"
    if isinstance(value, str) and len(value) > MAX_LENGTH:
        return f"a text of {len(value)} characters; {MAX_LENGTH} are the most"
    if isinstance(value, int) and abs(value) >= 2**63:
        return "a whole number beyond 64 bits; use a smaller one"
    if not isinstance(value, dict | list | str | int | float | None):
        return f"expected a text, a number, a list or keys, got a {type(value).__name__}; put a text in quotes"
    for key in value if isinstance(value, dict) else ():
        if not isinstance(key, str):
            return f"expected texts as keys, got a {type(key).__name__}; put it in quotes"
        if len(key) > MAX_LENGTH:
            return "expected texts as keys, got a long text; shorten it"
    return None
