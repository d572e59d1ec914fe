"""Check a configuration before any job starts, with messages that name the key, the value and the fix."""

from pydantic import ValidationError

from workflow import schema
from workflow.checks import PLUGINS, mistakes, suggest


class ConfigError(ValueError):
    """A configuration that cannot be run; the message has one line per mistake."""


def check(raw):
    """Parse a configuration (nested dict) into a `schema.Config`.

    Raises ConfigError with one line per mistake: key, value, and what to write instead.
    """
    try:
        config = schema.Config.model_validate(raw)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(raw, mistake) for mistake in error.errors())) from None
    if problems := mistakes(config):
        raise ConfigError("\n".join(problems))
    return config


def _explain(raw, mistake):
    """One line for one pydantic error."""
    path = [str(part) for part in mistake["loc"]]
    node, keys = raw, []
    for part in path:  # pydantic's path also names the member of a union that it tried; ours has only the user's keys
        if isinstance(node, dict) and part in node or isinstance(node, list) and part.isdigit():
            node, keys = node[int(part) if isinstance(node, list) else part], [*keys, part]
        elif mistake["type"] == "missing" and part == path[-1]:
            keys.append(part)
    key, context = ".".join(keys), mistake.get("ctx", {})
    if mistake["type"] == "extra_forbidden":
        return f"{key}: unknown key; {suggest(path[-1], _known_keys(path))}"
    if mistake["type"] == "missing":
        return f"{key}: missing; {_describe(path)}"
    if mistake["type"] == "union_tag_invalid":
        expected = [tag for tag in context["expected_tags"].replace("'", "").split(", ") if tag != "custom"]
        return (
            f"{key}.kind: {context['tag']}: unknown kind; {suggest(context['tag'], expected)}, or a dotted module path"
        )
    if mistake["type"] == "union_tag_not_found":
        return f"{key}.kind: missing; say of which kind this entry is"
    wanted = mistake["msg"].partition(" should ")[2] or mistake["msg"]
    return f"{key}: {mistake['input']!r}: not possible here; it should {wanted}"


def _field_owner(path):
    """The schema class that holds the last key of a pydantic error path."""
    owner, sections = schema.Config, {"studies": schema.Study, "metrics": schema.Metrics, "figures": schema.Figure}
    if len(path) > 1:
        owner = sections.get(path[0])
        if path[0] in PLUGINS and len(path) > 3:
            owner = next((c for c in vars(schema).values() if _is_kind(c, path[2])), None)
        if "training" in path[2:-1]:
            owner = schema.Training
    return owner


def _is_kind(value, kind):
    fields = getattr(value, "model_fields", {})
    return "kind" in fields and kind in getattr(fields["kind"].annotation, "__args__", ())


def _known_keys(path):
    owner = _field_owner(path)
    return list(owner.model_fields) if owner else []


def _describe(path):
    owner = _field_owner(path)
    field = owner.model_fields.get(path[-1]) if owner else None
    return f"add it: {field.description}" if field and field.description else "add it"
