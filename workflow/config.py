"""Check a configuration before any job starts, with messages that name the key, the value and the fix."""

import os
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
from workflow.plain import ConfigError, read, read_argument, refuse_others

DEFAULT = "config.yaml"
SHORT = reprlib.Repr()  # of values in messages
SHORT.maxlist = SHORT.maxdict = 10
SHORT.maxstring = SHORT.maxother = 80


def base_files(config, namer=None):
    """Paths of the files that a configuration is laid over, the lowest first.

    config: a nested dict, or an empty one; namer: path of the file that it comes from, if it does. A configuration
    names the file under it as `base`; without that it is config.yaml, under which there is nothing. A file is looked
    for beside the one that names it, then in the working folder, and then beside the Snakefile. Raises ConfigError
    where one cannot be read.
    """
    return [path for path, _ in _bases(config, namer)]


def _bases(config, namer):
    """(path, content) of each of `base_files`."""
    refuse_others(config)
    layers, base, is_named = [], config.get("base", DEFAULT), "base" in config
    while base != "none":
        if not isinstance(base, str):
            raise ConfigError(f"base: {SHORT.repr(base)}: expected the name of a file, or none")
        path = _found(base, namer if is_named else None, "base: " * is_named)
        if any(os.path.samefile(path, other) for other, _ in layers):
            raise ConfigError(f"base: {base}: is laid over itself; end the chain with base: none")
        layers.append((path, content := _read_file(path)))
        base, namer, is_named = content.get("base", "none" if base == DEFAULT else DEFAULT), path, "base" in content
    return layers[::-1]


def _found(name, namer, key):
    """The path of a configuration file; the message has the folders that were searched, and `key` before the name."""
    folders = [Path(namer).parent, Path(), ROOT] if namer else [Path(), ROOT]
    for folder in folders:
        if os.path.isfile(folder / name):
            return str(folder / name)
    searched = " or ".join(dict.fromkeys(str(folder.absolute()) for folder in folders))
    raise ConfigError(f"{key}{name[:80]}: no such file in {searched}; put it there, or name another, or none, as base")


def read_layers(files, arguments=()):
    """(a nested dict, paths of the files under it): configuration files over each other and over what they are laid on.

    files: paths, the lowest first; arguments: what lies on top, each as key=value. Raises ConfigError as `read` does,
    and where a file cannot be found.
    """
    layers = [*((_read_file(file), file) for file in files), *((read_argument(text), None) for text in arguments)]
    namer = next((file for content, file in reversed(layers) if "base" in content), None)
    top = _laid_over(content for content, _ in layers)
    bases = _bases(top, namer)
    return _laid_over([*(content for _, content in bases), top]), [path for path, _ in bases]


def _read_file(file):
    """The content of a configuration file; data that lie beside it, and not in the working folder, are found there."""
    content, folder = read(file), Path(file).parent
    sections = content.get("datasets")
    for entry in sections.values() if isinstance(sections, dict) else ():
        path = entry.get("path") if isinstance(entry, dict) else None
        is_own = isinstance(path, str) and "." not in str(entry.get("kind", ""))  # an option of a plug-in is its own
        if is_own and "\0" not in path and not os.path.exists(path) and os.path.exists(folder / path):
            entry["path"] = str(folder / path)
    return content


def _laid_over(contents):
    whole = {}
    for content in contents:
        update_config(whole, content)
    return whole


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
        own = ", or a dotted module path" if "custom" in context["expected_tags"] else ""
        return f"{key}.kind: {context['tag']}: unknown kind; {suggest(context['tag'], expected)}{own}"
    if mistake["type"] == "union_tag_not_found":
        return f"{key}.kind: missing; say of which kind this entry is"
    wanted = mistake["msg"].partition(" should ")[2] or mistake["msg"]
    return f"{key}: {SHORT.repr(mistake['input'])}: not possible here; it should {wanted}"


def _field_owner(path):
    """The schema class that holds the last key of a pydantic error path."""
    sections = {"studies": schema.Study, "metrics": schema.Metrics, "exhibits": schema.Exhibit}
    owner = schema.Config
    if len(path) > 1:
        owner = sections.get(path[0])
        if path[0] in (*PLUGINS, "figures") and len(path) > 3:
            owner = next((c for c in (*vars(schema).values(), *schema.FIGURES) if _is_kind(c, path[2])), None)
        nested = {"training": schema.Training, "claims": schema.Claim, "paper": schema.PaperCells}
        owner = next((nested[part] for part in path[2:-1] if part in nested), owner)
    return owner


def _is_kind(value, kind):
    """Whether a class of the schema is that of a kind."""
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
    return check(read_layers([path])[0])


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
