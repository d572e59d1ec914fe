"""Models that exist already: files of a user's, by their kinds."""

from os.path import expanduser
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from workflow.config.schema.base import ByKind, Entry


class Target(Entry):
    package = "targets"
    target = "load"
    needs_images: ClassVar[bool] = False
    place: ClassVar[str]  # the option that says where its file lies

    @property
    def path(self) -> str:
        """Of its file, with "~" filled in."""
        return expanduser(getattr(self, self.place))

    def files(self) -> list[tuple[str, str]]:
        return [("", self.path)]


class TorchTarget(Target):
    kind: Literal["torch"]
    model: str = Field(description="an entry under `models`, its architecture")
    weights: str = Field(description="a file of its state_dict, as torch.save writes it; nothing in it is executed")
    places = ("weights",)
    place = "weights"


class TorchScriptTarget(Target):
    kind: Literal["torchscript"]
    file: str = Field(description="of the model, as torch.jit.save writes it")
    trust: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(
        None, description="SHA-256 of the file, which is a program; without it nothing is run, and the error tells it"
    )
    places = ("file",)
    place = "file"


AnyTarget = Annotated[TorchTarget | TorchScriptTarget, ByKind]
