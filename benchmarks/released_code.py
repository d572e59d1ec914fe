"""Definitions of other projects' code, run unchanged from clones outside this repository, and counted models.

Released code is mostly programs: what an attack is stands among what reads files and asks for a GPU. So the functions
and classes of an attack are taken out of their file as they stand, and nothing else of it is run.
"""

import ast
import subprocess
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn


@dataclass(frozen=True)
class Clone:
    """A clone of a released code. folder: Path of it; repository: "owner/name", as GitHub spells it."""

    folder: Path
    repository: str

    @classmethod
    def find(cls, code: Path, repository: str) -> "Clone":
        """The clone in a folder of clones. Raises FileNotFoundError with a line that says what to do."""
        folder = code / repository.partition("/")[2]
        if not (folder / ".git").exists():
            raise FileNotFoundError(
                f"--code {code}: expected a clone {folder.name} in it; run git clone "
                f"https://github.com/{repository} {folder}, or leave it out by --only"
            )
        return cls(folder, repository)

    def commit(self) -> str:
        """The commit that is checked out, its first seven digits."""
        command = ["git", "-C", str(self.folder), "rev-parse", "--short=7", "HEAD"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def load(self, path: str, *names: str, **given: object) -> types.SimpleNamespace:
        """See `definitions`; path: of a file in the clone."""
        return definitions(self.folder / path, *names, **given)


def definitions(path: Path, *names: str, **given: object) -> types.SimpleNamespace:
    """Functions and classes of a file, compiled as they stand, and nothing else of it but the imports that they use.

    Args:
        path: Of the file.
        names: Of top-level functions and classes.
        given: What they find under these names in the place of what the file imports or makes itself.

    Returns the definitions, by their names, and `globals`, the dict in which they look up all other names.

    Raises KeyError where the file has no such definitions, and ImportError where they use what is not installed.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    kinds = (ast.FunctionDef, ast.ClassDef)
    found = {node.name: node for node in tree.body if isinstance(node, kinds) and node.name in names}
    if missing := set(names) - set(found):
        raise KeyError(f"{path}: expected definitions of {', '.join(sorted(missing))}; is it another commit?")
    space = {"__name__": f"released.{path.stem}"}
    # Some libraries look a class's module up by its name.
    sys.modules.setdefault(space["__name__"], types.ModuleType(space["__name__"]))
    used = {node.id for name in names for node in ast.walk(found[name]) if isinstance(node, ast.Name)}
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    for statement in imports:
        bound = [alias for alias in statement.names if _bound(alias) in used - set(given)]
        if bound:
            statement.names = bound
            exec(compile(ast.Module([statement], []), str(path), "exec"), space)  # noqa: S102
    space |= given
    for name in names:
        exec(compile(ast.Module([found[name]], []), str(path), "exec"), space)  # noqa: S102 - it is what is measured
    return types.SimpleNamespace(**{name: space[name] for name in names}, globals=space)


def _bound(alias: ast.alias) -> str:
    """The name that an import gives to what it imports."""
    return alias.asname or alias.name.partition(".")[0]


class Counted(nn.Module):
    """A model that counts the inputs it is asked about. rows: so far."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model, self.rows = model, 0
        self.eval()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """As the model's."""
        self.rows += len(inputs)
        return self.model(inputs)


class Centred(nn.Module):
    """A model of inputs in [0, 1], asked with inputs in [-1, 1], where distances are twice as long."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model
        self.eval()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """As the model's."""
        return self.model((inputs + 1) / 2)
