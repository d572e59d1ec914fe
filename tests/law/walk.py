"""Every leaf key of the configuration's schema that a configuration reaches, each changed to another valid value."""

import copy
import typing

from pydantic import BaseModel

from workflow.config.load import ConfigError, check

FILLS = [1, 2, 3, 5, 0.05, 0.5, 2.0, [1], [[1]], True, "x"]  # in the place of nothing


def keys(config):
    """Every leaf key of the schema that a checked configuration reaches: "Class.field" -> paths at which it has it."""
    found = {}
    for owner, field, path in _leaves(config, ()):
        found.setdefault(f"{owner}.{field}", []).append(path)
    return found


def _leaves(value, path, owner=None):
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _leaves(getattr(value, name), (*path, name), (type(value).__name__, name))
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield from _leaves(entry, (*path, name), owner)
    elif isinstance(value, list) and value and isinstance(value[0], BaseModel):
        for number, entry in enumerate(value):
            yield from _leaves(entry, (*path, number), owner)
    else:
        yield (*owner, path)


def edited(raw, path, hints=()):
    """A copy of a configuration (nested dict) in which the key at `path` has another valid value, or None."""
    return next(all_edited(raw, path, hints), None)


def all_edited(raw, path, hints=()):
    """Copies of a configuration (nested dict) in which the key at `path` has another value that its check takes.

    hints: candidates that come before those that follow from the present value. A value may be stated that was the
    default. An entry of another kind is another entry of its section, as each kind has keys of its own.
    """
    config = check(raw)
    field, now = _field(config, path)
    if path[-1] == "kind":
        path, candidates = path[:-1], [entry for entry in raw[path[0]].values() if entry["kind"] != now]
    else:
        candidates = _others(now, _literals(field.annotation) if field else (), _names(raw))
    for value in (*hints, *candidates):
        changed = copy.deepcopy(raw)
        node = changed
        for key in path[:-1]:
            node = node.setdefault(key, {}) if isinstance(node, dict) else node[key]
        node[path[-1]] = value
        try:
            if check(changed) != config:
                yield changed
        except (ConfigError, TypeError):
            continue


def _field(config, path):
    """The schema's field behind a path, None for an entry of a plain dict, and its present value."""
    node, field = config, None
    for key in path:
        field = type(node).model_fields.get(key) if isinstance(node, BaseModel) else None
        node = getattr(node, key) if isinstance(node, BaseModel) else node[key]
    return field, node


def _literals(annotation):
    if typing.get_origin(annotation) is typing.Literal:
        return typing.get_args(annotation)
    return [value for part in typing.get_args(annotation) for value in _literals(part)]


def _names(raw):
    """Names that a text may refer to: of all entries."""
    return [name for section in raw.values() if isinstance(section, dict) for name in section]


def _others(now, literals, names):
    """Candidates for the place of a value, those nearest to it first."""
    if literals:
        yield from (value for value in literals if value != now)
    elif isinstance(now, bool):
        yield not now
    elif isinstance(now, int):
        yield from (now + 1, now - 1, now + 2, now + 6, 2 * now, now // 2)
    elif isinstance(now, float):
        yield from (now * 1.5, now / 2, now + 0.25, now + 1)
    elif isinstance(now, str):
        yield from (f"{now}s", *names, "0-2", "f" * 64)
    elif isinstance(now, list):
        yield from _other_lists(now, names)
    elif now is None:
        yield from (*FILLS, *names, *([name] for name in names))


def _other_lists(now, names):
    for number, part in enumerate(now):
        for other in _others(part, (), names):
            yield [*now[:number], other, *now[number + 1 :]]
    if len(now) > 1:
        yield now[:-1]
    yield from ([*now, more] for more in (*FILLS, *names))
