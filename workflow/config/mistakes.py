"""What pydantic finds wrong, in the words of the schema: the key, what came, and what to write instead."""

from collections.abc import Iterator
from typing import Any, get_origin

from pydantic_core import ErrorDetails

from workflow.config.messages import SHORT, suggest
from workflow.config.schema.base import Strict, classes_in
from workflow.config.schema.configuration import Config

# Keys by which one would hand over a model that is trained already, and who is a member of it.
OF_A_GIVEN_MODEL = ("checkpoint", "members", "state_dict", "target", "weights")


def explain(raw: dict[str, Any], mistake: ErrorDetails) -> str:
    """One line for one of pydantic's errors: the key, the value, and what to write. raw: the dict that was read."""
    path = [str(part) for part in mistake["loc"]]
    key, context = ".".join(_own_keys(raw, path, mistake["type"] == "missing")), mistake.get("ctx", {})
    if mistake["type"] == "extra_forbidden":
        owner = _field_owner(path)
        if owner and path[-1] in owner.RENAMED:
            return f"{key}: is now called {owner.RENAMED[path[-1]]}; rename it"
        if path[-1] in OF_A_GIVEN_MODEL:
            return (
                f"{key}: unknown key; a model that you have is an entry under targets, which one under audits names "
                "(docs/how-to/audit.md)"
            )
        return f"{key}: unknown key; {suggest(path[-1], list(owner.model_fields) if owner else [])}"
    if mistake["type"] == "missing":
        return f"{key}: missing; {_describe(path)}"
    if mistake["type"] == "union_tag_invalid":
        expected = [tag for tag in context["expected_tags"].replace("'", "").split(", ") if tag != "custom"]
        own = ", or a dotted module path" if "custom" in context["expected_tags"] else ""
        return f"{key}.kind: {context['tag']}: unknown kind; {suggest(context['tag'], expected)}{own}"
    if mistake["type"] == "union_tag_not_found":
        return f"{key}.kind: missing; say of which kind this entry is"
    if mistake["type"] == "model_type" and (owner := _field_owner([*path, ""])):
        needed = [name for name, field in owner.model_fields.items() if field.is_required()] or list(owner.model_fields)
        return f"{key}: {SHORT.repr(mistake['input'])}: expected keys with values, as {' and '.join(needed[:2])}"
    wanted = mistake["msg"].partition(" should ")[2] or mistake["msg"]
    return f"{key}: {SHORT.repr(mistake['input'])}: not possible here; it should {wanted}"


def _own_keys(node: Any, path: list[str], is_missing: bool) -> Iterator[str]:
    """The user's keys of pydantic's path, which also names the member of a union that was tried."""
    for part in path:
        if isinstance(node, dict) and part in node:
            node = node[part]
            yield part
        elif isinstance(node, list) and part.isdigit():
            node = node[int(part)]
            yield part
    if is_missing:
        yield path[-1]


def _field_owner(path: list[str]) -> type[Strict] | None:
    """The class of the schema that holds the last key of a pydantic error path; None where several could."""
    owners: list[type[Strict]] = [Config]
    is_name = False
    for part in path[:-1]:
        fields = [owner.model_fields[part] for owner in owners if part in owner.model_fields and not is_name]
        if fields:
            owners = [found for field in fields for found in classes_in(field)]
        elif not is_name:  # of a member of a union, or a number in a list
            owners = [owner for owner in owners if part in owner.kinds()] or owners
        is_name = any(get_origin(field.annotation) is dict for field in fields)  # of an entry comes next
    return owners[0] if len(owners) == 1 else None


def _describe(path: list[str]) -> str:
    owner = _field_owner(path)
    field = owner.model_fields.get(path[-1]) if owner else None
    return f"add it: {field.description}" if field and field.description else "add it"
