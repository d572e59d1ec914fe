"""Configurations as plain values: read from YAML without running what is in it, and refused where they are no tree."""

import yaml
from yaml.constructor import ConstructorError

MOST_VALUES, DEEPEST, LONGEST = 100_000, 20, 10_000  # values in all; levels of nesting; characters of a text
TEMPLATE, MERGE = "__use_yte__", "tag:yaml.org,2002:merge"


class ConfigError(ValueError):
    """A configuration that cannot be run; the message has one line per mistake."""


class _Loader(yaml.SafeLoader):
    """YAML's own plain values, of mappings that have each key once, and are merged (`<<`) one into another only.

    A list of merges in a list of merges, and so on, would stand for more than memory holds in a few lines, and that
    before there is anything to count.
    """

    def __init__(self, stream):
        super().__init__(stream)
        self._flat, self._merged = set(), 0

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
        super().flatten_mapping(node)
        self._merged += len(node.value)
        if self._merged > MOST_VALUES:
            raise ConstructorError(problem=f"more than {MOST_VALUES} keys by <<", problem_mark=node.start_mark)


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


def refuse_others(config):
    """Raise ConfigError unless a nested dict is a moderate tree of texts, 64-bit numbers, truth values and nulls.

    A few lines of YAML can refer to themselves, or stand for more values than memory holds: nothing else may walk
    through a configuration before this has.
    """
    pending = [((), config)]
    for count in range(MOST_VALUES):
        if not pending:
            return
        keys, value = pending.pop()
        if problem := _problem(value, len(keys)):
            raise ConfigError(f"{'.'.join(keys) or 'top'}: {problem}")
        if isinstance(value, dict):
            pending += [((*keys, str(key)), entry) for key, entry in value.items()]
        elif isinstance(value, list):
            pending += [((*keys, str(number)), entry) for number, entry in enumerate(value)]
        if len(pending) + count > MOST_VALUES:
            break
    raise ConfigError(f"more than {MOST_VALUES} values, aliases counted as often as they are used; shorten it")


def _problem(value, level):
    if level > DEEPEST:
        return f"nested deeper than {DEEPEST} levels; no key goes that deep"
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or len(key) > LONGEST:
                return f"expected texts as keys, got {_shown(key)}; put it in quotes"
    elif isinstance(value, str):
        if len(value) > LONGEST:
            return f"a text of {len(value)} characters; {LONGEST} are the most"
    elif isinstance(value, int):
        if abs(value) >= 2**63:
            return "a whole number beyond 64 bits; use a smaller one"
    elif value is not None and not isinstance(value, float | list):
        return f"expected a text, a number, a list or keys, got a {type(value).__name__}; put a text in quotes"
    return None


def _shown(key):
    return "a long text" if isinstance(key, str) else f"a {type(key).__name__}"
