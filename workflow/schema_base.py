"""What all entries of the configuration are made of."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator
from pydantic_core import PydanticCustomError


def _distinct(values):
    if len(set(values)) < len(values):
        raise PydanticCustomError("distinct", "List should hold each value once")
    return values


Fraction = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=10**9)]  # more of anything would fail late, for want of memory or of time
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]  # of files, too
NonEmpty = Field(min_length=1)
Distinct = AfterValidator(_distinct)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_values(cls, value, info):
        """Python takes YAML's true for the number 1, which nobody means."""
        values = value if isinstance(value, list) else [value]
        if cls.model_fields[info.field_name].annotation is not bool and any(isinstance(v, bool) for v in values):
            raise PydanticCustomError("truth", "Input should not be true or false")
        return value


class Entry(Strict):
    """Something of a kind, with the options of that kind."""

    kind: str

    def options(self):
        """The keyword arguments for the module behind `kind`."""
        return self.model_dump(mode="json", exclude={"kind"})


class Custom(Entry):
    """A kind that is not part of lmia: the dotted path of a module, and whatever options that takes."""

    model_config = ConfigDict(extra="allow")
    kind: Annotated[str, Field(pattern=r"\.")]


def one_of(*entries, custom=Custom):
    """A field that holds one of the built-in entries by its `kind`, or a custom one."""

    def tag(value):
        kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
        return "custom" if isinstance(kind, str) and "." in kind else kind

    kinds = [Annotated[entry, Tag(k)] for entry in entries for k in entry.model_fields["kind"].annotation.__args__]
    union = Annotated[custom, Tag("custom")]
    for kind in kinds:
        union = union | kind
    return Annotated[union, Discriminator(tag)]
