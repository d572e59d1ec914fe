"""The reference page of all keys of the configuration, from its schema.

Write it with `python -m workflow.tools.config_reference > docs/reference/configuration.md`.
"""

import json
from collections.abc import Iterator
from typing import Any

from workflow.config.schema.configuration import Config

Node = dict[str, Any]  # of a JSON schema
HEAD = """# Configuration

<!-- Written by `python -m workflow.tools.config_reference`: edit the schema, not this page. -->

Every key with its type and range, its default, and what it means.
`python -m workflow.config FILE` checks a configuration file and runs nothing; `--expand` prints all that it comes to.
A key without a default must be given.
[Change a study](../how-to/cache.md) says which results an edit makes again.

An entry is a mapping with a name of your own, for example `mlp` under `models`.
A name has letters, digits, `_`, `.` and `-`, starts with a letter or a digit, and has at most 100 characters.
The key `kind` chooses what the entry is, and each kind has keys of its own.
An entry set to `null` is taken out.
Numbers are read as YAML 1.2 has them, so `1e-3` is a number.
Upper limits of a thousand million and more are left out here.
"""
# Section -> what one of its entries is called.
SECTIONS = {
    "datasets": "Data set",
    "models": "Model",
    "trainers": "Trainer",
    "targets": "Given model",
    "defenses": "Defense",
    "studies": "Study",
    "audits": "Audit",
    "queries": "Query set",
    "attacks": "Attack",
    "metrics": "Metrics",
    "figures": "Figure",
    "exhibits": "Exhibit",
}
TYPES = {"string": "text", "integer": "integer", "number": "number", "boolean": "`true` or `false`"}
LIMITS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
SHOWN_BELOW = 10**9  # larger limits only keep values finite
NAME = "^[A-Za-z0-9]"  # how the patterns of names begin
FORMS = {  # of texts with a pattern
    "auto|cpu": "`auto`, `cpu`, `mps`, `cuda` or `cuda:N`",
    "{64}": "64 hex digits",
    "{1,18}-": "block of seeds, such as `0-5`",
}


def page() -> str:
    """The page's text."""
    schema = Config.model_json_schema()
    return "\n".join([HEAD, *(line for part in _parts(schema) for line in part)])


def _parts(schema: Node) -> Iterator[list[str]]:
    """Lists of lines: top-level keys first, then one part per section, kind and nested mapping."""
    plain = {key: field for key, field in schema["properties"].items() if key not in SECTIONS}
    yield ["## Top level", "", *_table(plain, schema.get("required", []))]
    for section, noun in SECTIONS.items():
        yield [f"## {section}", ""]
        entries = _entries(schema["properties"][section], schema)
        if len(entries) == 1:
            yield _of_one(entries[0])
            for title, nested in _nested(entries[0], schema):
                article = "an" if noun[0] in "AEIOU" else "a"
                yield [f"### `{title}` of {article} {noun.lower()}", "", *_of_one(nested)]
            continue
        shared = [f"`{kind}`" for entry in entries for kind in _kinds(entry)]
        yield [f"Kinds: {', '.join(shared)}.", ""]
        for entry in entries:
            kinds = " or ".join(f"`{kind}`" for kind in _kinds(entry)) or "of your own"
            yield [f"### {noun} {kinds}", "", *_of_one(entry)]


def _of_one(entry: Node) -> list[str]:
    """What an entry is, and the table of its keys."""
    fields = {key: field for key, field in entry["properties"].items() if key != "kind"}
    about = [] if "description" not in entry else [*_sentences(entry["description"].split("\n\n")[0]), ""]
    if entry.get("additionalProperties") is True:
        about += ["[Extend](../how-to/extend.md) shows how to write one.", ""]
    elif not fields:
        about += ["No keys besides `kind`.", ""]
    return about + (_table(fields, entry.get("required", [])) if fields else [])


def _sentences(text: str) -> list[str]:
    """One sentence a line."""
    return " ".join(text.split()).replace(". ", ".\n").splitlines()


def _table(fields: Node, required: list[str]) -> list[str]:
    """Rows for the keys of a mapping."""
    lines = ["| key | type and range | default | meaning |", "| --- | --- | --- | --- |"]
    for key, field in fields.items():
        default = "must be given" if key in required else _value(field)
        cells = [f"`{key}`", _type(field), default, field.get("description", "")]
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return [*lines, ""]


def _value(field: Node) -> str:
    """A default as YAML has it; nothing where the key may be left out and is then not there."""
    default = field.get("default")
    if default is None:
        return ""
    if "$ref" in field:
        return "its defaults"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, list):
        return f"`[{', '.join(json.dumps(value) if value == '' else str(value) for value in default)}]`"
    if isinstance(default, dict):
        return f"`{{{', '.join(f'{name}: {_inline(value)}' for name, value in default.items())}}}`"
    return f"`{default}`" if default != "" else "empty"


def _inline(value: Any) -> str:
    return "{" + ", ".join(f"{k}: {v}" for k, v in value.items()) + "}" if isinstance(value, dict) else str(value)


def _type(field: Node) -> str:
    """In words: the type, its limits and its choices."""
    if "$ref" in field:
        return "mapping, below"
    if "const" in field or "enum" in field:
        return " or ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if "anyOf" in field:
        kinds = [_type(part) for part in field["anyOf"] if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if field.get("type") == "array":
        return f"list{_length(field)}: {_type(field['items'])}"
    if field.get("type") == "object":
        [of] = field.get("patternProperties", {"": field.get("additionalProperties")}).values()
        return f"mapping of name to {'any value' if of is True else _type(of)}"
    return _form(field.get("pattern", NAME)) or TYPES[field["type"]] + _limits(field)


def _length(field: Node) -> str:
    least, most = field.get("minItems", 0), field.get("maxItems")
    return f" of {least}" if least == most else " (one or more)" if least else ""


def _form(pattern: str) -> str:
    """What a text with this pattern looks like, "" where it is a name."""
    if pattern.startswith(NAME):
        return ""
    return next((form for part, form in FORMS.items() if part in pattern), f"text matching `{pattern}`")


def _limits(field: Node) -> str:
    found = [f" {word} {field[name]:,}" for name, word in LIMITS.items() if abs(field.get(name, 1e18)) < SHOWN_BELOW]
    if "multipleOf" in field:
        found.append(f", a multiple of {field['multipleOf']}")
    return "".join(found)


def _resolve(field: Node, schema: Node) -> Node:
    return schema["$defs"][field["$ref"].rpartition("/")[2]]


def _entries(section: Node, schema: Node) -> list[Node]:
    """The schemas of what a section holds: one for each kind, or one."""
    if "$ref" in section:
        return [_resolve(section, schema)]
    [entry] = section.get("patternProperties", {"": section.get("additionalProperties")}).values()
    return [_resolve(one, schema) for one in entry.get("oneOf", [entry])]


def _kinds(entry: Node) -> list[str]:
    kind = entry["properties"]["kind"]
    return kind.get("enum", [kind["const"]] if "const" in kind else [])


def _nested(entry: Node, schema: Node) -> Iterator[tuple[str, Node]]:
    """(key, schema) of the mappings within an entry."""
    for key, field in entry["properties"].items():
        of = [field, *field.get("anyOf", []), field.get("items", {}), *field.get("patternProperties", {}).values()]
        for part in of:
            if "$ref" in part:
                yield key, _resolve(part, schema)


if __name__ == "__main__":
    print(page(), end="")
