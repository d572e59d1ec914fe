"""Models that exist already: files of a user's, by their kinds."""

from collections.abc import Iterator
from os.path import expanduser
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lmia.attacks.observations import OBSERVATIONS
from workflow.config.schema.base import EXTRA, ByKind, Custom, Entry
from workflow.config.schema.queries import Query

WITHOUT_SHADOW = "a given model has no shadow, as known records stand for one"


class Target(Entry):
    package = "targets"
    target = "load"
    needs_images: ClassVar[bool] = False
    place: ClassVar[str | None]  # the option that says where its file lies, None where it has none
    gives_labels_alone: ClassVar[bool] = False  # and neither confidences nor gradients

    def refusals(self, query: Query) -> Iterator[str]:
        """Why a query set cannot be asked of a model that exists already; nothing where it can."""
        if query.stops_early():
            yield f"stops early by shadows, and {WITHOUT_SHADOW}"
        if self.gives_labels_alone and OBSERVATIONS[query.observation].access != "label":
            yield f"needs more than labels, and a target of kind {self.kind} gives these alone"
        if self.gives_labels_alone and query.options().get("precision", "float32") != "float32":
            yield f"rounds a network, and a target of kind {self.kind} shows none"


class CustomTarget(Custom, Target):
    """A model that a module of a user's opens, or asks elsewhere: `build(shape, n_classes)` gives a function."""

    model_config = EXTRA

    target = "build"
    place = None
    gives_labels_alone = True


class FileTarget(Target):
    """A model in a file."""

    place: ClassVar[str]

    @property
    def path(self) -> str:
        """Of its file, with "~" filled in."""
        return expanduser(getattr(self, self.place))

    def files(self) -> list[tuple[str, str]]:
        return [("", self.path)]


class TorchTarget(FileTarget):
    kind: Literal["torch"]
    model: str = Field(description="an entry under `models`, its architecture")
    weights: str = Field(description="a file of its state_dict, as torch.save writes it; nothing in it is executed")
    places = ("weights",)
    place = "weights"


class TorchScriptTarget(FileTarget):
    kind: Literal["torchscript"]
    file: str = Field(description="of the model, as torch.jit.save writes it")
    trust: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(
        None, description="SHA-256 of the file, which is a program; without it nothing is run, and the error tells it"
    )
    places = ("file",)
    place = "file"


AnyTarget = Annotated[TorchTarget | TorchScriptTarget | CustomTarget, ByKind]
