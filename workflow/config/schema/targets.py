"""Models that exist already: files of a user's, by their kinds."""

import re
from collections.abc import Iterable, Iterator
from os.path import basename, expanduser, isdir, isfile
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field

from lmia.attacks.observations import OBSERVATIONS
from lmia.plugins import SHADOW
from lmia.targets.headers import is_name, is_secret, is_value, is_variable
from lmia.targets.huggingface_folders import files_of
from lmia.targets.prices import affordable
from lmia.targets.skops_files import is_program
from workflow.config.schema.base import EXTRA, ByKind, Count, Custom, Distinct, Entry, NonNegative, Positive
from workflow.config.schema.datasets import Dataset
from workflow.config.schema.query import Query
from workflow.config.schema.trainers import Trainer

SECRET_PARAMETER = re.compile("(auth|credential|key|pass|password|pwd|secret|sig|signature|token)$", re.I)
Sha256 = Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$"), AfterValidator(str.lower)]


class Target(Entry):
    package = "targets"
    target = "load"
    needs_images: ClassVar[bool] = False
    place: ClassVar[str | None]  # the option that says where its file lies, None where it has none
    gives_labels_alone: ClassVar[bool] = False  # and neither confidences nor gradients
    takes_records: ClassVar[bool] = False  # of a table, as they are
    trainer: str | None = Field(
        None,
        description="an entry under `trainers`, for attacks that compare with models trained like this one; of torch "
        "without `weights`, it trains the model itself",
    )
    of_training: ClassVar[tuple[str, ...]] = (
        "trainer",
    )  # options that models like it are trained by, and it is not opened by

    @property
    def can_be_trained_again(self) -> bool:
        """Whether models like it can be trained, on other records."""
        return self.trainer is not None

    @property
    def is_trained_here(self) -> bool:
        """Whether it is no model yet, and is trained on the known members."""
        return False

    def options(self) -> dict[str, Any]:
        return {name: value for name, value in super().options().items() if name not in self.of_training}

    def terms(self) -> dict[str, Any]:
        """Options of how it is asked and paid, on which no answer depends: jobs take them beside their params."""
        return {}

    def shadow(self, trainer: Trainer | None) -> Entry | None:
        """What builds a shadow of it, a model that its trainer makes, or it itself where it has none; None where that
        is what builds the model itself.
        """
        return self if trainer is None else Shadow(kind=SHADOW, trainer=trainer)

    def refused_records(self, dataset: Dataset) -> str | None:
        """Why it cannot be given the records of a table, though it takes such; None where it can."""
        return None

    def refusals(self, query: Query) -> Iterator[str]:
        """Why a query set cannot be asked of a model that exists already; nothing where it can."""
        if query.stops_early():
            yield "stops early by shadows' searches, which are not there for a given model"
        if query.observation == "references" and not self.can_be_trained_again:
            yield "needs models trained like it, and nothing says how; give its target a trainer"
        if self.gives_labels_alone and OBSERVATIONS[query.observation].access != "label":
            yield f"needs more than labels, and a target of kind {self.kind} gives these alone"
        if self.gives_labels_alone and query.options().get("precision") == "bfloat16":
            yield f"rounds a network, and a target of kind {self.kind} shows none"


class Shadow(Entry):
    """A shadow of a given model, of which nothing is kept but what its trainer trains it on."""

    kind: str
    trainer: Trainer
    package = "targets"
    target = "build"

    @property
    def modules(self) -> list[str]:
        return [self.module, self.trainer.module]

    def files(self) -> list[tuple[str, str]]:
        return self.trainer.files()


class CustomTarget(Custom, Target):
    """A model that a module of a user's opens, or asks elsewhere: `build(shape, n_classes)` gives a function."""

    model_config = EXTRA

    target = "build"
    place = None
    gives_labels_alone = True
    takes_records = True


class FileTarget(Target):
    """A model in a file."""

    place: ClassVar[str]
    place_is: ClassVar[str] = "file"

    def is_program(self) -> bool:
        """Whether to open the file is to run it, so that its SHA-256 must be stated as `trust`."""
        return False

    @property
    def path(self) -> str:
        """Of its file, with "~" filled in."""
        return expanduser(getattr(self, self.place))

    def is_there(self) -> bool:
        return isfile(self.path)

    def check(self) -> None:
        """Look at what is there. Raises ValueError where it is no model, or would be run."""

    def files(self) -> list[tuple[str, str]]:
        return [("", self.path)] if getattr(self, self.place) is not None else []


class TorchTarget(FileTarget):
    kind: Literal["torch"]
    model: str = Field(description="an entry under `models`, its architecture")
    weights: str | None = Field(
        None,
        description="a file of its state_dict, as torch.save writes it; nothing in it is executed; default: none yet, "
        "the trainer trains it on the known members",
    )
    places = ("weights",)
    place = "weights"

    @property
    def is_trained_here(self) -> bool:
        return self.weights is None

    def shadow(self, trainer: Trainer | None) -> None:
        return None  # its weights are put into the same architecture

    def mistakes(self) -> Iterable[tuple[str, str]]:
        if self.weights is None and self.trainer is None:
            yield "weights", "give the file of its state_dict, or a trainer that makes one"


class TorchScriptTarget(FileTarget):
    kind: Literal["torchscript"]
    file: str = Field(description="of the model, as torch.jit.save writes it")
    trust: Sha256 | None = Field(
        None, description="SHA-256 of the file, which is a program; without it nothing is run, and the error tells it"
    )
    places = ("file",)
    place = "file"

    def is_program(self) -> bool:
        return True


class OtherFile(FileTarget):
    """A model of another program's, asked as a function."""

    file: str
    places = ("file",)
    place = "file"
    gives_labels_alone = True
    takes_records = True


class SklearnTarget(OtherFile):
    kind: Literal["sklearn"]
    file: str = Field(description="of the estimator or pipeline, as skops.io.dump or joblib.dump writes it")
    trust: Sha256 | None = Field(
        None, description="SHA-256 of a file of joblib's, which is a program; without it, only skops' are read"
    )
    types: Annotated[list[str], Distinct] = Field(
        [], description="types in a file of skops' that it does not know; the error names them"
    )

    settings: dict[str, Any] | None = Field(
        None,
        description="to train the estimator again on the known members, with these of its parameters changed, {} for "
        "none; default: it is asked as it is",
    )

    def is_program(self) -> bool:
        return is_program(self.path)

    def mistakes(self) -> Iterable[tuple[str, str]]:
        for name in self.settings or {}:
            if name.rpartition("__")[2] in ("random_state", "n_jobs", "memory"):
                yield f"settings.{name}", "is decided by the seed, and by the job; remove it"
        if self.settings is not None and self.trainer is not None:
            yield "settings", "says how it is trained, as trainer does; remove one of them"

    @property
    def can_be_trained_again(self) -> bool:
        return True

    @property
    def is_trained_here(self) -> bool:
        return self.settings is not None

    def shadow(self, trainer: Trainer | None) -> Entry | None:
        """One without a trainer trains itself again, with the settings that it has."""
        return super().shadow(trainer) if trainer else self.model_copy(update={"settings": self.settings or {}})


class OnnxTarget(OtherFile):
    kind: Literal["onnx"]
    file: str = Field(description="the whole model in ONNX; its first output is asked")


class XgboostTarget(OtherFile):
    kind: Literal["xgboost"]
    file: str = Field(description="as save_model writes it, to .json or .ubj")


class LightgbmTarget(OtherFile):
    kind: Literal["lightgbm"]
    file: str = Field(description="as Booster.save_model writes it")


class HuggingfaceTarget(FileTarget):
    """A classifier in a folder, of texts where the data set has them, else of images."""

    kind: Literal["huggingface"]
    folder: str = Field(
        description="of the model and its tokenizer or image processor, as save_pretrained writes them: safetensors "
        "alone, and no code"
    )
    places = ("folder",)
    place = "folder"
    place_is = "folder"
    gives_labels_alone = True
    takes_records = True

    def is_there(self) -> bool:
        return isdir(self.path)

    def check(self) -> None:
        files_of(self.path)

    def files(self) -> list[tuple[str, str]]:
        return [(basename(file), str(file)) for file in files_of(self.path)]

    def refused_records(self, dataset: Dataset) -> str | None:
        texts, others = dataset.columns()
        if len(texts) == 1 and not others:
            return None
        given = ", ".join([*texts, *others])
        return f"takes one text, and records have {given}; name one column under texts, and all others in leave_out"


class HttpTarget(Target):
    """A model behind an address: each distinct input is sent once, and its label kept in results/paid/ for good."""

    kind: Literal["http"]
    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] = Field(description="asked by POST, in JSON")
    revision: str = Field("", description="of the model there; another one is asked anew")
    headers: dict[str, str] = Field({}, description="of requests; a value $NAME is all of that environment variable")
    send: str = Field("inputs", description="key under which inputs go out, as nested lists")
    receive: str = Field("labels", description="key under which as many class numbers come back")
    batch: Count = Field(100, description="most inputs of one request")
    per_second: Positive | None = Field(None, description="most inputs per second; default: as many as it answers")
    most: Count | None = Field(
        None, description="inputs that may be sent to that address in all, ever; default: as many as needed"
    )
    price: Positive | None = Field(None, description="of one input that is sent")
    currency: str = Field("", description="of `price` and `spend`, as EUR")
    spend: Positive | None = Field(
        None, description="money that may be spent at that address in all, ever; needs `price`"
    )
    timeout: Positive = Field(60.0, description="seconds that one answer may take")
    patience: NonNegative = Field(900.0, description="seconds for which a busy server is asked again")
    unshown = ("url",)  # which may have a secret by mistake
    places = ("batch", "per_second", "most", "price", "currency", "spend", "timeout", "patience")
    target = "build"
    place = None
    gives_labels_alone = True
    takes_records = True

    def terms(self) -> dict[str, Any]:
        return self.model_dump(mode="json", include=set(self.places))

    def limits(self) -> dict[str, int]:
        """Option that limits what is sent -> inputs that may be sent in all, ever."""
        found = {} if self.most is None else {"most": self.most}
        if self.spend is not None and self.price is not None:
            found["spend"] = affordable(self.spend, self.price)
        return found

    def mistakes(self) -> Iterable[tuple[str, str]]:
        if self.spend is not None and self.price is None:
            yield "spend", "needs the price of one input; set price"
        if problem := self._mistake_of_url():
            yield "url", problem
        for name, value in self.headers.items():
            if not is_name(name):
                yield f"headers.{name!r}", "no header has such a name; write letters, digits and hyphens"
            elif is_variable(value):
                pass  # looked for when something is sent
            elif is_secret(name, value):
                yield f"headers.{name}", "name an environment variable that has it, as $API_KEY"
            elif not is_value(value):
                yield f"headers.{name}", "cannot be sent; write one line of ASCII, without spaces around it"

    def _mistake_of_url(self) -> str | None:
        """What is wrong with the address, without the address; None for nothing."""
        try:
            parts = urlsplit(self.url)
            is_address = bool(parts.hostname) and parts.port != 0  # to read the port checks it
        except ValueError:
            is_address = False
        if not is_address:
            return "is no address; write one as https://example.org/labels"
        if "@" in parts.netloc:
            return "has a name or password, which files and messages would show; send it as a header, as $API_KEY"
        for name, _ in parse_qsl(parts.query, keep_blank_values=True):
            if SECRET_PARAMETER.search(name):
                return f"has {name}, which files and messages would show; send it as a header, as $API_KEY"
        return None


AnyTarget = Annotated[
    TorchTarget
    | TorchScriptTarget
    | SklearnTarget
    | OnnxTarget
    | XgboostTarget
    | LightgbmTarget
    | HuggingfaceTarget
    | HttpTarget
    | CustomTarget,
    ByKind,
]
