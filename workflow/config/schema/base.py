"""What all entries of the configuration are made of."""

from collections.abc import Iterable
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, ClassVar, Self, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    Tag,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError

from lmia.plugins import module_name
from workflow.config.plugin_source_reader import files_of_plugin, read_constant
from workflow.config.yaml_reader import is_number


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("distinct", "List should hold each value once")
    return values


# Models compute in float32, which ends at 3e38: the product of two such numbers is one, and a hundred times that.
MAX_NUMBER = 1e18
Bounded = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]
Positive = Annotated[float, Field(gt=0, le=MAX_NUMBER)]
NonNegative = Annotated[float, Field(ge=0, le=MAX_NUMBER)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=10**9)]  # more of anything would fail late, for want of memory or of time
Pixels = Annotated[int, Field(ge=0, le=1000)]  # further than images go
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]  # of files, too
NonEmpty = Field(min_length=1)
Distinct = AfterValidator(_distinct)
Rising = AfterValidator(sorted)  # in whichever order they are given
Falling = AfterValidator(lambda values: sorted(values, reverse=True))


def _types_in(annotation: Any) -> set[Any]:
    """All types that an annotation is made of: those in its lists, dicts (but for their keys) and alternatives, too."""
    parts = get_args(annotation)[1 if get_origin(annotation) is dict else 0 :]
    return {annotation}.union(*map(_types_in, parts))


@cache  # as each value is looked at
def _plain_types(owner: type["Strict"], field: str) -> set[Any] | None:
    """All types that the values of a class's field are made of; None where any of them has fields of its own."""
    held = _types_in(owner.model_fields[field].annotation)
    return None if any(isinstance(part, type) and issubclass(part, BaseModel) for part in held) else held


def classes_in(field: FieldInfo) -> list[type["Strict"]]:
    """Classes of the schema that the value of a pydantic field may be of, or of its lists and dicts."""
    found = [part for part in _types_in(field.annotation) if isinstance(part, type) and issubclass(part, Strict)]
    return sorted(found, key=lambda part: part.__name__)


def _leaves(value: Any) -> list[Any]:
    """All that is in a nested value, but for keys."""
    parts = value.values() if isinstance(value, dict) else value
    return [leaf for part in parts for leaf in _leaves(part)] if isinstance(value, dict | list) else [value]


class Strict(BaseModel):
    """A part of the configuration: other keys than its own are mistakes.

    RENAMED: what a key was called in an earlier version -> what it is called now.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    RENAMED: ClassVar[dict[str, str]] = {}

    def __copy__(self) -> Self:
        """Without what was looked up for this one's values, as a copy may have others."""
        copied = super().__copy__()
        own = vars(copied)
        for name in own.keys() - type(self).model_fields.keys():
            del own[name]
        return copied

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """The kinds of which the entries of this class are, "custom" of plug-ins; none where it has no kinds."""
        return ()

    @field_validator("*", mode="before")
    @classmethod
    def _no_other_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Python takes YAML's true for the number 1, the text 1_000 for 1000, and "off" for false: all mistakes."""
        held = _plain_types(cls, str(info.field_name))
        if held is None:
            return value  # whose own fields are asked
        values = _leaves(value)
        if bool not in held and any(isinstance(v, bool) for v in values):
            raise PydanticCustomError("truth", "Input should not be true or false")
        if bool in held and str not in held and any(isinstance(v, str) for v in values):
            raise PydanticCustomError("truth", "Input should be true or false")
        if str not in held and any(isinstance(v, str) and not is_number(v) for v in values):
            if float in held:
                raise PydanticCustomError("number", "Input should be a valid number, as 0.001 or 1e-3")
            if int in held:
                raise PydanticCustomError("number", "Input should be a valid integer, as 1000")
        return value


class Entry(Strict):
    """Something of a kind, with the options of that kind.

    package: of lmia, with a module for each built-in kind; target: the function or class in a module that takes the
    options; places: options that say where files lie or how they get there, so that no result depends on them;
    unshown: options that no message of `mistakes` shows the value of.
    """

    kind: Any  # a Literal of its kinds in each class of built-in entries
    package: ClassVar[str]
    target: ClassVar[str]
    places: ClassVar[tuple[str, ...]] = ()
    unshown: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        return get_args(cls.model_fields["kind"].annotation) or ("custom",)

    @property
    def module(self) -> str:
        """Dotted name of the module behind the kind."""
        return module_name(self.package, self.kind)

    @property
    def modules(self) -> list[str]:
        """That module, and those of entries that this one has, as `lmia.plugins.modules` names them."""
        return [self.module]

    def stated(self, name: str) -> Any:
        """What the module states in a constant, read without running it; None where it does not."""
        return read_constant(self.module, name)

    def options(self) -> dict[str, Any]:
        """The keyword arguments for the module."""
        return self.model_dump(mode="json", exclude={"kind"})

    def files(self) -> list[tuple[str, str]]:
        """(name, path) of each of the user's own files that it reads, whose content its results depend on.

        The name is what a plug-in knows a file by; "" where that is nothing that counts, as a .npz file may be moved.
        """
        return []

    def mistakes(self) -> Iterable[tuple[str, str]]:
        """(option, what is wrong and how to mend it) of options that do not go together."""
        return ()


EXTRA = ConfigDict(extra="allow")  # of each class of plug-ins: pydantic gives it what the last of its bases has


class Custom(Entry):
    """A kind that is not part of lmia: the dotted path of a module, and whatever options that takes."""

    kind: Annotated[str, Field(pattern=r"\.")]
    places = ()

    def files(self) -> list[tuple[str, str]]:
        """Options that name a file by what looks like a path, and what the module lists as FILES.

        FILES has paths from the module's folder, where a folder stands for all files in it.
        """
        return files_of_plugin(self.kind, self.options())


class ByKind:
    """In an annotated union of entries: the `kind` decides of which class one is; a dotted kind is a plug-in's."""

    @classmethod
    def __get_pydantic_core_schema__(cls, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        tagged = {kind: Annotated[entry, Tag(kind)] for entry in get_args(union) for kind in entry.kinds()}

        def tag(value: Any) -> Any:
            kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
            return "custom" if "custom" in tagged and isinstance(kind, str) and "." in kind else kind

        return handler.generate_schema(Annotated[reduce(or_, tagged.values()), Discriminator(tag)])
