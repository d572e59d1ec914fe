"""Data sets: built-in ones by their kinds, and arrays of a user's own."""

from collections.abc import Iterable
from functools import cached_property
from os.path import expanduser
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from lmia.data import csv, npz
from workflow.config.messages import suggest
from workflow.config.schema.base import EXTRA, Bounded, ByKind, Custom, Distinct, Entry, NonEmpty, NonNegative


class Dataset(Entry):
    package = "data"
    target = "load"
    knows_its_columns: ClassVar[bool] = True  # whether no CONTINUOUS means that none is continuous
    of_splits: ClassVar[tuple[str, ...]] = ()  # options that splits are drawn by, and nothing is loaded by
    of_audits: ClassVar[tuple[str, ...]] = ()  # options that pages are written by, and nothing is loaded by
    is_table: ClassVar[bool] = False  # whether inputs stand for records with columns of their own

    def fact(self, name: str) -> Any:
        """What is known of it before it is read: N_EXAMPLES, SHAPE or CONTINUOUS; None where nothing states that."""
        return self.stated(name)

    def options(self) -> dict[str, Any]:
        left_out = (*self.of_splits, *self.of_audits)
        return {name: value for name, value in super().options().items() if name not in left_out}

    def options_of_splits(self) -> dict[str, Any]:
        """Options of `load_known` of its module, but for the path, with the kind; {} where nothing tells members."""
        return {}

    def naming(self) -> str | None:
        """The column that names records, None where none does."""
        return None

    def grouping(self) -> list[str]:
        """The columns by whose values records are compared."""
        return []

    def columns(self) -> tuple[list[str], list[str]]:
        """Names of the columns that a given model is given: (texts, others); none where it is no table."""
        return [], []

    def known(self) -> tuple[int, int]:
        """(members, non-members) of a given model that it names. Raises as `load_known` of its module."""
        return 0, 0

    def unknown(self) -> int:
        """How many records are neither a member nor a non-member. Raises as `known` does."""
        return (self.fact("N_EXAMPLES") or 0) - sum(self.known())

    def check(self) -> None:
        """Look at the user's own files. Raises ValueError and OSError as its module does."""


class CustomDataset(Custom, Dataset):
    """A data set that is not part of lmia."""

    model_config = EXTRA

    knows_its_columns = False


class Digits(Dataset):
    kind: Literal["digits"]
    pixel_noise: NonNegative = Field(
        0.0, description="standard deviation of fixed Gaussian noise, pixel units of [0, 1]"
    )
    seed: int = Field(0, ge=0, description="of that noise")


class Torchvision(Dataset):
    kind: Literal["torchvision"]
    name: str = Field(description="class in torchvision.datasets")
    root: str = Field("data", description="folder of its files")
    download: bool = Field(True, description="whether missing files are fetched")
    places = ("root", "download")

    def mistakes(self) -> Iterable[tuple[str, str]]:
        known = self.stated("N_EXAMPLES")  # by the names of torchvision
        if self.name in ("CIFAR10", "CIFAR100"):
            yield "name", f"a pickle there; use kind {self.name.lower()} instead"
        elif self.name not in known:
            yield "name", f"unknown data set; {suggest(self.name, list(known))}"

    def fact(self, name: str) -> Any:
        value = self.stated(name)
        return value.get(self.name) if isinstance(value, dict) else value


class Npz(Dataset):
    kind: Literal["npz"]
    path: str = Field(description="a .npz file of numpy arrays")
    inputs: Annotated[list[str], NonEmpty, Distinct] = Field(["inputs"], description="arrays that are pooled")
    classes: Annotated[list[str], NonEmpty, Distinct] = Field(["classes"], description="as many, in the same order")
    layout: Literal["channels_first", "channels_last"] | None = Field(
        None, description="of images with channels; default: channels first, unless another axis may have them"
    )
    range: Annotated[list[Bounded], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="[least, greatest] value that is possible, mapped to 0 and 1; default: [0, 1], or [0, 255] for "
        "uint8 images that need all 8 bits",
    )
    membership: Annotated[list[str], NonEmpty, Distinct] | None = Field(
        None,
        description="as many arrays, of 1 for what a given model was trained on, 0 for what it was not, -1 for "
        "unknown; only studies with splits: given read them",
    )
    places = ("path",)
    of_splits = ("membership",)
    knows_its_columns = False

    def files(self) -> list[tuple[str, str]]:
        return [("", expanduser(self.path))]

    def options_of_splits(self) -> dict[str, Any]:
        if self.membership is None:
            return {}
        return {"kind": self.kind, "membership": self.membership, "classes": self.classes}

    def known(self) -> tuple[int, int]:
        return self._known if self.membership else super().known()

    @cached_property  # as every study and query asks for it
    def _known(self) -> tuple[int, int]:
        return _count(npz.load_known(self.path, self.membership or [], self.classes))

    def check(self) -> None:
        npz.describe(**self.options())
        self.known()

    def fact(self, name: str) -> Any:
        size, shape = self._described
        return {"N_EXAMPLES": size, "SHAPE": shape}.get(name)

    @cached_property
    def _described(self) -> tuple[int, tuple[int, ...]]:
        return npz.describe(self.path, self.inputs, self.classes, self.layout)


class Csv(Dataset):
    """Records of a table, which models are given as they stand there, and not as numbers in [0, 1]."""

    kind: Literal["csv"]
    path: str = Field(description="a file of comma-separated values, with a header")
    label: str = Field(description="column that the model predicts")
    membership: str | None = Field(
        None,
        description="column with 1 for what a given model was trained on, 0 for what it was not, nothing or -1 for "
        "unknown; only studies with splits: given read it",
    )
    id: str | None = Field(None, description="column that names records in records.csv; the model is not given it")
    groups: Annotated[list[str], Distinct] = Field([], description="columns by whose values the page compares records")
    leave_out: Annotated[list[str], Distinct] = Field([], description="further columns that the model is not given")
    categories: Annotated[list[str], Distinct] = Field(
        [], description="columns of numbers that are codes; texts are categories anyway"
    )
    texts: Annotated[list[str], Distinct] = Field(
        [], description="columns of words, of which copies lack some; other texts are categories"
    )
    as_text: Annotated[list[str], Distinct] = Field(
        [], description="columns of codes that the model was given as texts, as 01067, which would be read as numbers"
    )
    places = ("path",)
    of_audits = ("groups",)
    is_table = True
    knows_its_columns = False

    def files(self) -> list[tuple[str, str]]:
        return [("", expanduser(self.path))]

    def options_of_splits(self) -> dict[str, Any]:
        return {"kind": self.kind, "membership": self.membership} if self.membership else {}

    def naming(self) -> str | None:
        return self.id

    def grouping(self) -> list[str]:
        return self.groups

    def columns(self) -> tuple[list[str], list[str]]:
        names = csv.names_of_inputs(self.path, self.label, self.membership, self.id, self.leave_out)
        return [name for name in names if name in self.texts], [name for name in names if name not in self.texts]

    def known(self) -> tuple[int, int]:
        return self._known if self.membership else super().known()

    @cached_property  # as every study and query asks for it
    def _known(self) -> tuple[int, int]:
        return _count(csv.load_known(self.path, self.membership or ""))

    def check(self) -> None:
        csv.describe(**self.options())
        csv.load_columns(self.path, self.groups)
        self.known()

    def fact(self, name: str) -> Any:
        size, shape = csv.describe(**self.options())
        return {"N_EXAMPLES": size, "SHAPE": shape}.get(name)


def _count(known: np.ndarray) -> tuple[int, int]:
    """(members, non-members) of what `load_known` gives."""
    return int((known == 1).sum()), int((known == 0).sum())


class Archived(Dataset):
    """A data set of original files."""

    path: str | None = Field(None, description="local copy: the original file or its folder; default: fetched")
    places = ("path",)


class Published(Archived):
    """A data set of original files that are fetched once, or copied by hand, and checked by their SHA-256."""

    kind: Literal["mnist", "cifar10", "cifar100", "location"]


class Unpublished(Archived):
    """The same where no SHA-256 is published: the configuration states it."""

    kind: Literal["purchase", "texas"]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(
        None, description="of the archive, in hex; without it nothing is read, and the error tells what was found"
    )


class Adult(Archived):
    """A data set of original files, whose numbers come in several scales."""

    kind: Literal["adult"]
    scale: Literal["unit", "standard", "standard_all"] = Field(
        "unit",
        description="unit: numbers in [0, 1]; standard: numbers in standard deviations from their mean; standard_all: "
        "all columns so",
    )


AnyDataset = Annotated[Digits | Torchvision | Published | Unpublished | Adult | Npz | Csv | CustomDataset, ByKind]
