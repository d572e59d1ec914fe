"""Configurations as plain values: read from YAML without running what is in it, and refused where they are no tree."""

import yaml

MOST_VALUES, DEEPEST, LONGEST = 100_000, 20, 10_000  # values in all; levels of nesting; characters of a text
TEMPLATE = "__use_yte__"


class ConfigError(ValueError):
    """A configuration that cannot be run; the message has one line per mistake."""


def read(path):
    """The nested dict of a YAML file; an empty file has no keys.

    Raises ConfigError, naming the file, where it cannot be read, is no mapping, is a template, or holds what
    `refuse_others` refuses. Tags that would make Python objects are refused unread.
    """
    try:
        with open(path, encoding="utf-8") as file:
            content = yaml.safe_load(file)
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
