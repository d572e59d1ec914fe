"""What the entries of a configuration are to each other, and the words for a name that is none of them."""

import difflib
import re
from os.path import expanduser, isfile, relpath, sep
from pathlib import Path

from lmia.data.npz import describe
from lmia.plugins import module_name
from workflow.harness.fingerprint import find
from workflow.sources import read_constant

OBSERVATIONS = {"hopskipjump": "distances", "confidences": "confidences", "white_box": "white_box"}
# Per section: package of the built-in modules, and the function or class whose arguments are the options.
PLUGINS = {
    "datasets": ("data", "load"),
    "models": ("models", "build"),
    "defenses": ("defenses", "Defense"),
    "queries": ("perturbations", "Perturbation"),
    "attacks": ("attacks", "Attack"),
}


def observation(query):
    """What a query set yields: "labels", "distances", "confidences" or "white_box"."""
    return OBSERVATIONS.get(query.kind, "labels")


def only_masks(defense):
    """Whether a defense changes answers alone, and leaves models as they are."""
    return bool(read_constant(module_name("defenses", defense.kind), "MASKS_ONLY"))


def trained_with(config, name):
    """Name of the defense whose models are asked under the defense of this name."""
    entry = config.defenses[name]
    return getattr(entry, "over", "none") if only_masks(entry) else name


def trained_cell(config, cell):
    """The cell whose models are asked: a defense that only masks confidences trains none."""
    n, name = cell.split("-", 1)
    return f"{n}-{trained_with(config, name)}"


def knows_masks(attack):
    """Whether the attacker's shadow answers under the target's mask."""
    return bool(read_constant(module_name("attacks", attack.kind), "KNOWS_MASKS"))


def target_split(config, scores):
    """Path of the target's split that a file of scores belongs to."""
    study, cell, seeds, _ = scores.removeprefix("results/scores/").split("/")
    return f"results/splits/{study}/{trained_cell(config, cell)}/{seeds}/target.npz"


def fact(dataset, name):
    """What a data set's module states of it in a constant, perhaps one per `name`; None where it does not."""
    if dataset.kind == "npz":
        size, shape = describe(dataset.path, dataset.inputs, dataset.classes, dataset.layout)
        return {"N_EXAMPLES": size, "SHAPE": shape}.get(name)
    value = read_constant(module_name("data", dataset.kind), name)
    return value.get(getattr(dataset, "name", None)) if isinstance(value, dict) else value


def gap_attack(config, study):
    """Name of the study's gap attack, whose decisions tell where the model is right; None where it has none."""
    return next((a for a in attacks_of(config, study) if a in config.attacks and config.attacks[a].kind == "gap"), None)


def places(entry):
    """Options of a built-in data set that say where its files lie, and how they get there."""
    return () if "." in entry.kind else ("path", "root", "download")


def files_read(entry):
    """(name, path) of each of the user's own files that an entry reads, whose content its results depend on.

    Those of a plug-in are its options that name a file by what looks like a path, and what its module lists as FILES:
    paths from the module's folder, where a folder stands for all files in it. The name is what a plug-in knows a file
    by; "" where that is nothing that counts, as a .npz file may be moved.
    """
    if entry.kind == "npz":
        return [("", expanduser(entry.path))]
    if "." not in entry.kind:
        return []
    folder = find(entry.kind).parent
    named = [(text, _path(text)) for text in sorted(set(_texts(entry.options()))) if sep in text or Path(text).suffix]
    inside = [file for path in read_constant(entry.kind, "FILES") or [] for file in _below(folder / path)]
    found = [*named, *((relpath(file, folder), str(file)) for file in inside)]
    return [(name, file) for name, file in found if isfile(file)]


def _path(text):
    """A text as a path, with "~" filled in."""
    try:
        return expanduser(text)
    except ValueError:  # a null after "~"
        return text


def _below(path, above=()):
    """A file itself, or all files in a folder and in those below it, through links, and once around a ring of these."""
    if not path.is_dir():
        return [path]
    if (real := path.resolve()) in above:
        return []
    return [file for part in sorted(path.iterdir()) for file in _below(part, (*above, real))]


def _texts(value):
    """All texts in a nested value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def rule_names():
    """Names that Snakemake already has."""
    rules = (Path(__file__).parent / "rules").glob("*.smk")
    return {"all", *(name for file in rules for name in re.findall(r"^rule (\w+):", file.read_text(), re.M))}


def suggest(word, known):
    """How to mend a word that is none of the known ones."""
    if not known:
        return "this kind takes no options; remove it"
    close = difflib.get_close_matches(str(word), known, n=1)
    return f"did you mean {close[0]}?" if close else f"expected one of: {', '.join(known)}"


def unknown(key, name, known, section):
    return f"{key}: {name}: not defined under {section}; {suggest(name, list(known))}"


def stops_early(query):
    """Whether searches end once they are settled: then they answer for one threshold, and have no order."""
    return getattr(query, "stop_error", None) is not None


def attacks_of(config, study):
    """Names of the attacks that run in a study."""
    return list(config.attacks) if study.attacks is None else study.attacks
