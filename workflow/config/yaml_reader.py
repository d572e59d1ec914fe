"""Configurations as plain values: read from YAML without running what is in it, and refused where they are no tree.

Numbers, truth values and nulls are those of YAML 1.2's core schema: 1e-3 is a number, 2024-01-01 a text. PyYAML, which
Snakemake reads with, knows version 1.1 alone.
"""

import re

import yaml
from yaml.constructor import ConstructorError

MAX_VALUES, MAX_DEPTH, MAX_LENGTH = 100_000, 20, 10_000  # values in all; levels of nesting; characters of a text
TEMPLATE, MERGE = "__use_yte__", "tag:yaml.org,2002:merge"
INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
PLAIN = {  # texts without quotes that are none; INTEGER goes before FLOAT, which fits it too
    "tag:yaml.org,2002:null": re.compile("~|null|Null|NULL|"),
    "tag:yaml.org,2002:bool": re.compile("true|True|TRUE|false|False|FALSE"),
    "tag:yaml.org,2002:int": INTEGER,
    "tag:yaml.org,2002:float": FLOAT,
    MERGE: re.compile("<<"),
}
TEXT, TWO_READINGS = "tag:yaml.org,2002:str", "!two_readings"
LEADING_ZERO = re.compile("[-+]?0[0-9]+")  # 8 or 10
_OLD = yaml.SafeLoader("")


def is_number(text):
    """Whether a text is a number, and to all who read YAML the same one."""
    return bool(INTEGER.fullmatch(text) or FLOAT.fullmatch(text) and not LEADING_ZERO.fullmatch(text))


class ConfigError(ValueError):
    """A configuration that cannot be run; the message has one line per mistake."""


class _Loader(yaml.SafeLoader):
    """YAML's own plain values, of mappings that have each key once, and are merged (`<<`) one into another only.

    A list of merges in a list of merges, and so on, would stand for more than memory holds in a few lines, and that
    before there is anything to count. What is a number or a truth value to YAML 1.1 and another or none to 1.2 is
    refused, as nobody can know which was meant.
    """

    def __init__(self, stream):
        super().__init__(stream)
        self._flat, self._merged = set(), 0

    def resolve(self, kind, value, implicit):
        if kind is not yaml.ScalarNode or not implicit[0]:  # not plain: with a tag or in quotes
            return super().resolve(kind, value, implicit)
        tag = next((tag for tag, form in PLAIN.items() if form.fullmatch(value)), TEXT)
        old = _OLD.resolve(kind, value, implicit).rpartition(":")[2]
        is_other = tag == TEXT and old in ("bool", "int", "float")
        return TWO_READINGS if is_other or LEADING_ZERO.fullmatch(value) else tag

    def flatten_mapping(self, node):
        if node in self._flat:
            return
        self._flat.add(node)
        names = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in names:
                raise ConstructorError(problem=f"the key {key.value[:80]} is there twice", problem_mark=key.start_mark)
            names.add((key.tag, key.value) if isinstance(key, yaml.ScalarNode) else key)
            if key.tag == MERGE and not isinstance(value, yaml.MappingNode):
                raise ConstructorError(problem="<< takes one mapping, and no list", problem_mark=key.start_mark)
        if (MERGE, "<<") not in names:
            return  # as many keys as are written there
        super().flatten_mapping(node)
        self._merged += len(node.value)
        if self._merged > MAX_VALUES:
            raise ConstructorError(problem=f"more than {MAX_VALUES} keys by <<", problem_mark=node.start_mark)


def _refuse_two_readings(_, node):
    told = f"{node.value[:80]} is read in two ways; write a number as 1000 or 0.001, a truth as true or false"
    raise ConstructorError(problem=f"{told}, and put a text in quotes", problem_mark=node.start_mark)


def _checked(tag):
    """The constructor of a tag, for a value that somebody has tagged so and that may not be one."""
    construct = yaml.SafeLoader.yaml_constructors[tag]

    def checked(loader, node):
        if not isinstance(node, yaml.ScalarNode) or not PLAIN[tag].fullmatch(node.value):
            raise ConstructorError(problem=f"no {tag.rpartition(':')[2]} behind this tag", problem_mark=node.start_mark)
        return construct(loader, node)

    return checked


_Loader.add_constructor(TWO_READINGS, _refuse_two_readings)
for _tag in PLAIN.keys() - {MERGE}:
    _Loader.add_constructor(_tag, _checked(_tag))


def _loaded(file):
    loader = _Loader(file)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def read(path):
    """The nested dict of a YAML file; an empty file has no keys.

    Raises ConfigError, naming the file, where it cannot be read, is no mapping, is a template, has a key twice, merges
    a list of mappings into one, or holds what `refuse_others` refuses. Tags that would make Python objects are refused
    unread.
    """
    try:
        with open(path, encoding="utf-8") as file:
            content = _loaded(file)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); name a YAML file") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}: line {line}: no plain YAML ({error.problem}); mend or remove it") from error
    except Exception as error:  # dates, numbers and nesting that no Python value has
        told = " ".join(str(error).split())
        raise ConfigError(f"{path}: no plain YAML ({type(error).__name__}: {told}); mend it") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected keys with values at its top, found a {type(content).__name__}")
    if TEMPLATE in content:
        raise ConfigError(f"{path}: {TEMPLATE}: a template, which is a program; write the values themselves")
    try:
        refuse_others(content)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return content


def read_argument(argument):
    """The nested dict of one of `--config`'s arguments, key=value; a value that is no YAML is a text, as Snakemake has
    it. Raises ConfigError where nobody can know what it means.
    """
    key, _, value = argument.partition("=")
    try:
        content = {key: _loaded(value)}
        refuse_others(content)
    except ConstructorError as error:
        raise ConfigError(f"--config {key}: {error.problem}") from error
    except ConfigError as error:
        raise ConfigError(f"--config {error}") from None
    except Exception:  # as many kinds of errors as there are texts
        return {key: value}
    return content


def refuse_others(config):
    """Raise ConfigError unless a nested dict is a moderate tree of texts, 64-bit numbers, truth values and nulls.

    A few lines of YAML can refer to themselves, or stand for more values than memory holds: nothing else may walk
    through a configuration before this has.
    """
    pending = [((), config)]
    for count in range(MAX_VALUES):
        if not pending:
            return
        keys, value = pending.pop()
        if problem := _problem(value, len(keys)):
            raise ConfigError(f"{'.'.join(keys) or 'top'}: {problem}")
        if isinstance(value, dict):
            pending += [((*keys, str(key)), entry) for key, entry in value.items()]
        elif isinstance(value, list):
            pending += [((*keys, str(number)), entry) for number, entry in enumerate(value)]
        if len(pending) + count > MAX_VALUES:
            break
    raise ConfigError(f"more than {MAX_VALUES} values, aliases counted as often as they are used; shorten it")


def _problem(value, level):
    if level > MAX_DEPTH:
        return f"nested deeper than {MAX_DEPTH} levels; no key goes that deep"
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or len(key) > MAX_LENGTH:
                return f"expected texts as keys, got {_shown(key)}; put it in quotes"
    elif isinstance(value, str):
        if len(value) > MAX_LENGTH:
            return f"a text of {len(value)} characters; {MAX_LENGTH} are the most"
    elif isinstance(value, int):
        if abs(value) >= 2**63:
            return "a whole number beyond 64 bits; use a smaller one"
    elif value is not None and not isinstance(value, float | list):
        return f"expected a text, a number, a list or keys, got a {type(value).__name__}; put a text in quotes"
    return None


def _shown(key):
    return "a long text" if isinstance(key, str) else f"a {type(key).__name__}"
