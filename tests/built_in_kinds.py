"""What the schema says of every built-in kind."""

from pathlib import Path

from lmia import interfaces
from workflow.config.schema.base import Custom, Entry, classes_in
from workflow.config.schema.configuration import SECTIONS, Config

ROOT = Path(__file__).parent.parent
CLASSES = {name: getattr(interfaces, name) for name in ("Attack", "Calibration", "Crafting", "Perturbation", "Defense")}
ENTRIES = [
    entry
    for section in SECTIONS
    for entry in classes_in(Config.model_fields[section])
    if issubclass(entry, Entry) and not issubclass(entry, Custom)
]
# Searches and confidences are queries without a module of perturbations.
KINDS = {
    (entry.package, kind): entry
    for entry in ENTRIES
    for kind in entry.kinds()
    if (ROOT / f"lmia/{entry.package}/{kind}.py").exists()
}
OF_CLASSES = [key for key, entry in KINDS.items() if entry.target in CLASSES]
