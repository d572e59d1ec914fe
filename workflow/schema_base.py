"""What all entries of the configuration are made of."""

from typing import Annotated, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator
from pydantic_core import PydanticCustomError

from workflow.plain import is_number


def _distinct(values):
    if len(set(values)) < len(values):
        raise PydanticCustomError("distinct", "List should hold each value once")
    return values


# Models compute in float32, which ends at 3e38: the product of two such numbers is one, and a hundred times that.
MOST = 1e18
Bounded = Annotated[float, Field(ge=-MOST, le=MOST)]
Positive = Annotated[float, Field(gt=0, le=MOST)]
NonNegative = Annotated[float, Field(ge=0, le=MOST)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=10**9)]  # more of anything would fail late, for want of memory or of time
Pixels = Annotated[int, Field(ge=0, le=1000)]  # further than images go
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]  # of files, too
NonEmpty = Field(min_length=1)
Distinct = AfterValidator(_distinct)
Rising = AfterValidator(sorted)  # in whichever order they are given
Falling = AfterValidator(lambda values: sorted(values, reverse=True))


def _types_in(annotation):
    """All types that an annotation is made of: those in its lists, dicts (but for their keys) and alternatives, too."""
    parts = get_args(annotation)[1 if get_origin(annotation) is dict else 0 :]
    return {annotation}.union(*map(_types_in, parts))


def _leaves(value):
    """All that is in a nested value, but for keys."""
    parts = value.values() if isinstance(value, dict) else value
    return [leaf for part in parts for leaf in _leaves(part)] if isinstance(value, dict | list) else [value]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_other_numbers(cls, value, info):
        """Python takes YAML's true for the number 1, which nobody means, and the text 1_000 for 1000."""
        held = _types_in(cls.model_fields[info.field_name].annotation)
        if any(isinstance(part, type) and issubclass(part, BaseModel) for part in held):
            return value  # whose own fields are asked
        values = _leaves(value)
        if bool not in held and any(isinstance(v, bool) for v in values):
            raise PydanticCustomError("truth", "Input should not be true or false")
        if str not in held and any(isinstance(v, str) and not is_number(v) for v in values):
            if float in held:
                raise PydanticCustomError("number", "Input should be a valid number, as 0.001 or 1e-3")
            if int in held:
                raise PydanticCustomError("number", "Input should be a valid integer, as 1000")
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
    """A field that holds one of the built-in entries by its `kind`, or a custom one where there may be any."""

    def tag(value):
        kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
        return "custom" if custom and isinstance(kind, str) and "." in kind else kind

    kinds = [Annotated[entry, Tag(k)] for entry in entries for k in entry.model_fields["kind"].annotation.__args__]
    union = kinds[0]
    for kind in [*kinds[1:], *([Annotated[custom, Tag("custom")]] if custom else [])]:
        union = union | kind
    return Annotated[union, Discriminator(tag)]
