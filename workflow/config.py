"""Check a configuration before any job starts, with messages that name the key, the value and the fix."""

import reprlib
import sys
from pathlib import Path

from pydantic import ValidationError
from snakemake.utils import update_config

from lmia.plugins import module_name
from workflow import schema
from workflow.checks import mistakes
from workflow.entries import PLUGINS, suggest
from workflow.exhibits import check_exhibits
from workflow.harness.fingerprint import ROOT, closure, find
from workflow.plain import ConfigError, read, refuse_others

DEFAULT = "config.yaml"
SHORT = reprlib.Repr()  # of values in messages
SHORT.maxlist = SHORT.maxdict = 10
SHORT.maxstring = SHORT.maxother = 80


def base_files(config):
    """Paths of the files that a configuration is laid over, the lowest first.

    config: the nested dict of a file that `--configfile` names, or an empty one. A file names the one under it as
    `base`; without that it is config.yaml, under which there is nothing. Raises ConfigError where one cannot be read.
    """
    refuse_others(config)
    files, base = [], config.get("base", DEFAULT)
    while base != "none":
        if base in files:
            raise ConfigError(f"base: {base}: is laid over itself; end the chain with base: none")
        if not isinstance(base, str):
            raise ConfigError(f"base: {SHORT.repr(base)}: expected the name of a file, or none")
        if not Path(base).is_file():
            raise ConfigError(f"base: {base}: no such file; name one from this folder, or none")
        files.append(base)
        base = read(base).get("base", "none" if base == DEFAULT else DEFAULT)
    return files[::-1]


def check(raw):
    """Parse a configuration (nested dict) into a `schema.Config`. An entry that is null is taken out, at any depth.

    Raises ConfigError with one line per mistake: key, value, and what to write instead.
    """
    refuse_others(raw)
    whole = {key: _without_nulls(section) for key, section in raw.items()}
    try:
        config = schema.Config.model_validate(whole)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(whole, mistake) for mistake in error.errors())) from None
    if problems := mistakes(config) or list(check_exhibits(config, raw["studies"])):
        raise ConfigError("\n".join(problems))
    return config


def _without_nulls(section):
    if not isinstance(section, dict):
        return section
    return {name: _without_nulls(entry) for name, entry in section.items() if entry is not None}


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
    return f"{key}: {SHORT.repr(mistake['input'])}: not possible here; it should {wanted}"


def _field_owner(path):
    """The schema class that holds the last key of a pydantic error path."""
    owner, sections = schema.Config, {"studies": schema.Study, "metrics": schema.Metrics, "figures": schema.Figure}
    sections |= {"exhibits": schema.Exhibit}
    if len(path) > 1:
        owner = sections.get(path[0])
        if path[0] in PLUGINS and len(path) > 3:
            owner = next((c for c in vars(schema).values() if _is_kind(c, path[2])), None)
        nested = {"training": schema.Training, "claims": schema.Claim, "paper": schema.PaperCells}
        owner = next((nested[part] for part in path[2:-1] if part in nested), owner)
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


def load(path):
    """The checked `schema.Config` of a file and of the files that it is laid over, without Snakemake.

    Raises ConfigError as `check`, and where one of the files cannot be read.
    """
    top, whole = read(path), {}
    for layer in [*map(read, base_files(top)), top]:
        update_config(whole, layer)
    return check(whole)


def plug_ins(config):
    """Key of each entry that names a module of a user's -> its source files, what it imports beside itself included."""
    found = {}
    for section, (package, _) in PLUGINS.items():
        for name, entry in getattr(config, section).items():
            if isinstance(entry, schema.Custom):
                module = module_name(package, entry.kind)
                files = closure(find(module), module)
                found[f"{section}.{name}"] = sorted(file for file in files if not file.is_relative_to(ROOT / "lmia"))
    return found


def main(path=DEFAULT):
    """What is wrong with a configuration, or which code beside lmia it runs: a look at somebody else's that runs none.

    It tells what the file names; a Snakefile that came with it is a program of its own.
    """
    try:
        config = load(path)
    except ConfigError as error:
        sys.exit(f"{path}: cannot be run:\n{error}")
    print(f"{path}: sound")
    for key, files in plug_ins(config).items():
        print(f"{key} runs {', '.join(map(str, files))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
