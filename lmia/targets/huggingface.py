"""A classifier of texts or images in a folder of Hugging Face's: asked without a network, and without code of its own.

The files of the folder are kept as one archive, whose bytes are the same wherever and whenever they were read.
"""

import importlib
import importlib.util
import io
import math
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from lmia.memory_batches import Batches
from lmia.table import Table
from lmia.targets.huggingface_folders import VOCABULARIES, files_of
from lmia.targets.opened import OpenedFile, optional

BATCH = 32  # inputs that go through a model together
ARCHIVED = (1980, 1, 1, 0, 0, 0)  # the date of all files
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
UNNAMED = re.compile(r"LABEL_\d+")  # what classes are called of which nobody said a name
ORDINARY = 1 / 255  # of what image processors multiply pixels by
UNLIMITED = 10**6  # tokens: tokenizers that know no limit name a larger number

Prepare = Callable[[Any], Any]  # some inputs -> what the model takes


class Folder(OpenedFile):
    """A model that is asked for the class with the largest logit, on the device that it is moved to."""

    gives_numbers = True

    def __init__(self, n_classes: int):
        super().__init__(self._open, n_classes, "transformers", gives_numbers=True)
        self._held: list[Any] = []  # the model; as a part of this one, it would have inputs in its own numbers
        self._versions: list[str] = []

    @property
    def runtime(self) -> str:
        return ", ".join([super().runtime, *self._versions])

    def _apply(self, fn, recurse: bool = True):
        """Move the model, too."""
        for model in self._held:
            model._apply(fn, recurse)
        return super()._apply(fn, recurse)

    def _open(self, content: bytes) -> Callable[[Any], np.ndarray]:
        transformers = imported()
        self._versions = [f"tokenizers {optional('tokenizers', 'tokenizers').__version__}"]
        with tempfile.TemporaryDirectory() as folder:
            _write(content, Path(folder))
            files_of(folder)
            try:
                model, prepare, size = _opened(transformers, folder, self.table)
            except Exception as error:  # whatever files that are none make it raise
                raise ValueError(
                    f"expected a classifier and its tokenizer or image processor, as save_pretrained writes them "
                    f"({_line(error)})"
                ) from error
        if self.table is None:
            self._versions = [f"torchvision {getattr(sys.modules['torchvision'], '__version__', 'none')}"]
        self._held, numbers = [model], _class_numbers(model.config, self._n_classes, self.table)
        batches = Batches()
        return lambda inputs: numbers[_asked(model, prepare, size, batches, inputs)]


def build(shape: tuple[int, ...], n_classes: int) -> nn.Module:
    """An empty model, to be loaded."""
    return Folder(n_classes)


def load(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Read a folder, as `save_pretrained` of a model and of its tokenizer or image processor writes it.

    Raises ValueError where it is none, and OSError where there is no folder.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        for file in files_of(path):
            written.writestr(zipfile.ZipInfo(file.name, ARCHIVED), file.read_bytes())
    network.load_state_dict({"file": torch.frombuffer(bytearray(archive.getbuffer()), dtype=torch.uint8)})


def imported() -> Any:
    """transformers, silent and without a network."""
    os.environ.update(OFFLINE)  # before the first import, which reads them
    if importlib.util.find_spec("transformers"):  # or nothing is to be hidden from it
        try:
            importlib.import_module("torchvision")
        except (ImportError, RuntimeError):  # one for another torch: transformers does without, if it sees none
            sys.modules["torchvision"] = None  # type: ignore[assignment]
    transformers = optional("transformers", "transformers")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return transformers


def _write(content: bytes, folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            (folder / os.path.basename(name)).write_bytes(archive.read(name))


def _opened(transformers: Any, folder: str, table: Table | None) -> tuple[Any, Prepare, int]:
    """The model, how its inputs are prepared, and how many of them go through it together."""
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    known = {"use_safetensors": True, "attn_implementation": "eager", "dtype": "auto", "output_loading_info": True}
    if table is None:
        processor = transformers.AutoImageProcessor.from_pretrained(folder, **local)
        found = transformers.AutoModelForImageClassification.from_pretrained(folder, **local, **known)
        return _whole(*found), _images(processor), BATCH
    if not VOCABULARIES & set(os.listdir(folder)):  # it would make a tokenizer that knows no word
        raise ValueError("there is no tokenizer; save it by its save_pretrained into the same folder")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **local)
    found = transformers.AutoModelForSequenceClassification.from_pretrained(folder, **local, **known)
    model = _whole(*found)
    padding = getattr(model.config, "pad_token_id", None)  # some find the last word by it; tokenizers write their own
    return model, _tokens(tokenizer, model), BATCH if padding is not None and padding == tokenizer.pad_token_id else 1


def _whole(model: Any, loaded: Any) -> Any:
    """A model of which all weights were in the folder: others are drawn at random, with no more than a warning."""
    if missing := sorted(loaded["missing_keys"]) or sorted(map(str, loaded["mismatched_keys"])):
        raise ValueError(f"no weights for {missing[0]}; save the classifier that was trained, and no part of it")
    if model.config.num_labels < 2 or model.config.problem_type not in (None, "single_label_classification"):
        raise ValueError("its answers are numbers, or several classes at a time")
    return model.eval()


def _images(processor: Any) -> Prepare:
    if getattr(processor, "do_rescale", False):
        if getattr(processor, "rescale_offset", False) or not np.isclose(processor.rescale_factor, ORDINARY):
            raise ValueError(f"rescale_factor: expected 1/255, as of inputs in [0, 1], got {processor.rescale_factor}")

    def prepare(images: np.ndarray) -> Any:
        if images.ndim != 4:
            raise ValueError(f"takes images of shape (channels, height, width), got {images.shape[1:]}")
        options = {"do_rescale": False, "input_data_format": "channels_first", "return_tensors": "pt"}
        return processor(list(images), **options)

    return prepare


def _tokens(tokenizer: Any, model: Any) -> Prepare:
    longest = min(tokenizer.model_max_length, _positions(model))
    options: dict[str, Any] = {"max_length": longest} if longest < UNLIMITED else {}
    may_be_empty = not tokenizer("")["input_ids"]
    instead = tokenizer.eos_token or tokenizer.unk_token or tokenizer.pad_token  # of a text without any token

    def prepare(texts: list[str]) -> Any:
        if may_be_empty:
            found = zip(texts, tokenizer(texts)["input_ids"], strict=True)
            texts = [text if tokens else instead or _no_token(text) for text, tokens in found]
        return tokenizer(texts, padding=len(texts) > 1, truncation=bool(options), return_tensors="pt", **options)

    return prepare


def _no_token(text: str) -> str:
    raise ValueError(f"the tokenizer has no token for the text {text!r}, nor any to put there; take such records out")


def _positions(model: Any) -> float:
    """How many tokens a model takes; those of RoBERTa's kind count from after the place of padding."""
    stated = getattr(model.config, "max_position_embeddings", None) or math.inf
    for name, part in model.named_modules():
        if name.endswith("position_embeddings") and getattr(part, "padding_idx", None) is not None:
            return min(stated, part.num_embeddings - part.padding_idx - 1)
    return stated


def _class_numbers(config: Any, n_classes: int, table: Table | None) -> np.ndarray:
    """The class number of each logit, ints (k,): by the model's own names of classes, or in their order.

    Raises ValueError where names are others than those that the data set has, or numbers in another order.
    """
    names = [str(config.id2label[number]) for number in range(config.num_labels)]
    known = {} if table is None else {str(name): number for number, name in enumerate(table.classes)}
    written, is_text = dict(known), table is not None and table.classes.dtype.kind == "U"
    if table is not None and not is_text:  # true is called True, true or 1, and 1.0 also 1
        written |= {name.lower(): number for name, number in known.items()}
        written |= {str(int(name)): number for number, name in enumerate(table.classes)}
    if written.keys() >= set(names):
        return np.array([written[name] for name in names])
    is_shuffled = all(map(str.isdecimal, names)) and names != sorted(names, key=int)
    if table is not None and (is_text or is_shuffled) and not all(UNNAMED.fullmatch(name) for name in names):
        raise ValueError(
            f"the model has classes {', '.join(names)}, and the data set {', '.join(known)}; name them in id2label of "
            "config.json as the data set does"
        )
    if len(names) != n_classes:
        raise ValueError(f"the model has {len(names)} classes, and the data set {n_classes}; it is another model's")
    return np.arange(n_classes)


@torch.inference_mode()
def _asked(model: Any, prepare: Prepare, size: int, batches: Batches, inputs: np.ndarray | pd.DataFrame) -> np.ndarray:
    """Numbers of the largest logits, ints (m,)."""
    given = _only_texts(inputs) if isinstance(inputs, pd.DataFrame) else inputs
    order = np.arange(len(given))
    if isinstance(given, list):  # texts of about one length, which need little padding
        order = np.argsort([len(text) for text in given], kind="stable")

    def numbers(rows: torch.Tensor) -> torch.Tensor:
        part = given[rows.numpy()] if isinstance(given, np.ndarray) else [given[row] for row in rows]
        try:
            logits = model(**{name: _moved(value, model) for name, value in prepare(part).items()}).logits
        except torch.OutOfMemoryError:
            raise
        except (IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:  # as its parts do not fit together
            raise ValueError(f"cannot be asked ({_line(error)})") from error
        return logits.argmax(1).cpu()

    largest = np.empty(len(given), dtype=np.int64)
    for start in range(0, len(given), size):
        rows = order[start : start + size]
        largest[rows] = batches.run(numbers, torch.from_numpy(rows)).numpy()
    return largest


def _moved(value: torch.Tensor, model: Any) -> torch.Tensor:
    return value.to(model.device, model.dtype if value.is_floating_point() else None)


def _only_texts(records: pd.DataFrame) -> list[str]:
    if len(records.columns) != 1:
        raise ValueError(f"takes one text, and records have {', '.join(records)}; name the others in leave_out")
    return records.iloc[:, 0].tolist()


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
