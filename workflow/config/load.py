"""Check a configuration before any job starts, with messages that name the key, the value and the fix."""

import os
import reprlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from snakemake.utils import update_config

from workflow.config.audits import in_own_words, name_mistakes, size_mistakes, with_studies
from workflow.config.checks.exhibits import check_exhibits
from workflow.config.checks.sections import mistakes
from workflow.config.mistakes import explain
from workflow.config.plugin_source_reader import source_of
from workflow.config.schema.base import Custom
from workflow.config.schema.configuration import SECTIONS, Config
from workflow.config.yaml_reader import ConfigError, read, read_argument, refuse_others
from workflow.harness.fingerprint import ROOT, closure

DEFAULT = "config.yaml"
PLACES = {"datasets": ("path",), "targets": ("weights", "file", "folder")}  # options that name files


def base_files(config: dict[str, Any], namer: str | Path | None = None) -> list[str]:
    """Paths of the files that a configuration is laid over, the lowest first.

    config: a nested dict, or an empty one; namer: path of the file that it comes from, if it does. A configuration
    names the file under it as `base`; without that it is config.yaml, under which there is nothing. A file is looked
    for beside the one that names it, then in the working folder, and then beside the Snakefile. Raises ConfigError
    where one cannot be read.
    """
    return [path for path, _ in _bases(config, namer)]


def _bases(config: dict[str, Any], namer: str | Path | None) -> list[tuple[str, dict[str, Any]]]:
    """(path, content) of each of `base_files`."""
    refuse_others(config)
    layers, base, is_named = [], config.get("base", DEFAULT), "base" in config
    while base != "none":
        if not isinstance(base, str):
            raise ConfigError(f"base: {reprlib.repr(base)}: expected the name of a file, or none")
        path = _found(base, namer if is_named else None, "base: " * is_named)
        if any(os.path.samefile(path, other) for other, _ in layers):
            raise ConfigError(f"base: {base}: is laid over itself; end the chain with base: none")
        layers.append((path, content := _read_file(path)))
        base, namer, is_named = content.get("base", "none" if base == DEFAULT else DEFAULT), path, "base" in content
    return layers[::-1]


def _found(name: str, namer: str | Path | None, key: str) -> str:
    """The path of a configuration file; the message has the folders that were searched, and `key` before the name."""
    folders = [Path(namer).parent, Path(), ROOT] if namer else [Path(), ROOT]
    for folder in folders:
        if os.path.isfile(folder / name):
            return str(folder / name)
    searched = " or ".join(dict.fromkeys(str(folder.absolute()) for folder in folders))
    raise ConfigError(f"{key}{name[:80]}: no such file in {searched}; put it there, or name another, or none, as base")


def read_layers(files: Sequence[str | Path], arguments: Sequence[str] = ()) -> tuple[dict[str, Any], list[str]]:
    """(a nested dict, paths of the files under it): configuration files over each other and over what they are laid on.

    files: paths, the lowest first; arguments: what lies on top, each as key=value. Raises ConfigError as `read` does,
    and where a file cannot be found.
    """
    layers = [*((_read_file(file), file) for file in files), *((read_argument(text), None) for text in arguments)]
    namer = next((file for content, file in reversed(layers) if "base" in content), None)
    top = _laid_over(content for content, _ in layers)
    bases = _bases(top, namer)
    return _laid_over([*(content for _, content in bases), top]), [path for path, _ in bases]


def _read_file(file: str | Path) -> dict[str, Any]:
    """The content of a configuration file; data and models that lie beside it, and not in the working folder, are found
    there.
    """
    content, folder = read(file), Path(file).parent
    for section, options in PLACES.items():
        entries = content.get(section)
        for entry in entries.values() if isinstance(entries, dict) else ():
            if not isinstance(entry, dict) or "." in str(entry.get("kind", "")):  # an option of a plug-in is its own
                continue
            for option in options:
                path = entry.get(option)
                if not isinstance(path, str) or "\0" in path or os.path.exists(path):
                    continue
                if os.path.exists(folder / path):
                    entry[option] = str(folder / path)
    return content


def _laid_over(contents: Iterable[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for content in contents:
        update_config(whole, content)
    return whole


def check(raw: dict[str, Any]) -> Config:
    """Parse a configuration (nested dict) into a `Config`. An entry that is null is taken out, at any depth;
    for each audit there is a study.

    Raises ConfigError with one line per mistake: key, value, and what to write instead.
    """
    refuse_others(raw)
    whole = {key: _without_nulls(section) for key, section in raw.items()}
    try:
        config = Config.model_validate(whole)
    except ValidationError as error:
        raise ConfigError("\n".join(explain(whole, mistake) for mistake in error.errors())) from None
    if problems := list(name_mistakes(config)):
        raise ConfigError("\n".join(problems))
    config = with_studies(config)
    if problems := mistakes(config) or list(check_exhibits(config, {**raw.get("studies", {}), **config.audits})):
        raise ConfigError("\n".join(in_own_words(line, config) for line in problems))
    if problems := list(size_mistakes(config)):
        raise ConfigError("\n".join(problems))
    return config


def _without_nulls(section: Any) -> Any:
    if not isinstance(section, dict):
        return section
    return {name: _without_nulls(entry) for name, entry in section.items() if entry is not None}


def load(*paths: str | Path) -> Config:
    """The checked `Config` of files, each laid over those before it and all over their bases, without Snakemake.

    Raises ConfigError as `check`, and where one of the files cannot be read.
    """
    return check(read_layers(paths)[0])


def files_read(config: Config) -> dict[str, list[str]]:
    """Key of each entry that reads files of a user's -> their paths: an edit of one makes its results again."""
    entries = [(f"{section}.{name}", entry) for section in SECTIONS for name, entry in getattr(config, section).items()]
    return {key: files for key, entry in entries if (files := sorted({file for _, file in entry.files()}))}


def plug_ins(config: Config) -> dict[str, list[Path]]:
    """Key of each entry that names a module of a user's -> its source files, what it imports beside itself included."""
    found = {}
    for section in SECTIONS:
        for name, entry in getattr(config, section).items():
            if isinstance(entry, Custom):
                files = closure(source_of(entry.module), entry.module)
                found[f"{section}.{name}"] = sorted(file for file in files if not file.is_relative_to(ROOT / "lmia"))
    return found
