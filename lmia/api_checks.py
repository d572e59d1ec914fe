"""What the functions for notebooks are given, checked: errors say what was expected, what came, and what to do."""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from lmia import plugins
from lmia.api_options import check_options
from lmia.attacks.observations import OBSERVATIONS, Answers, Distances, Observations
from lmia.data.warnings import axes_remark
from lmia.label_function import in_range
from lmia.table import Table

READ_BY = {
    "labels": "lmia.query_labels",
    "distances": "lmia.search_boundary, lmia.search_directions",
    "confidences": "lmia.Confidences",
    "references": "lmia.Compared",
    "relabelled": "lmia.attacks.observations.Relabelled",
}
OF_DATA = ("table", "box")  # parameters of perturbations that a data set gives, and no user
MIN_RESAMPLES = 40  # draws, for an interval of 95 %
MOST_UNLIKE = 2.0  # times as many queries as another model's search had at most: both had the same budget


def check_seed(seed: Any) -> None:
    """Raise ValueError for what no random numbers can be drawn from."""
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed: expected an integer from 0, got {seed!r}")


def check_fprs(fprs: Sequence[float]) -> None:
    """Raise ValueError for what are no false-positive rates, fractions in (0, 1)."""
    if isinstance(fprs, str) or not isinstance(fprs, Sequence | np.ndarray):
        raise ValueError(f"fprs: expected a list of fractions between 0 and 1, got {fprs!r}")
    if not all(isinstance(fpr, float) and 0 < fpr < 1 for fpr in fprs):
        raise ValueError(f"fprs: expected fractions between 0 and 1, got {', '.join(map(str, fprs))}")


def check_resamples(n_resamples: Any) -> None:
    """Raise ValueError for a number of draws of which no interval can be made."""
    if not isinstance(n_resamples, int | np.integer) or n_resamples < MIN_RESAMPLES:
        raise ValueError(f"n_resamples: expected an integer from {MIN_RESAMPLES}, got {n_resamples!r}")


def check_references(references: Any, inputs: torch.Tensor, n_classes: int) -> None:
    """Raise ValueError for what are no networks that give logits (m, n_classes) for inputs (m, *shape)."""
    if isinstance(references, torch.nn.Module) or not isinstance(references, Sequence):
        raise ValueError(f"references: expected a list of networks, got {type(references).__name__}")
    for number, network in enumerate(references):
        if not isinstance(network, torch.nn.Module):
            raise ValueError(
                f"references: expected networks, as searches start by their gradients, got {type(network).__name__}"
            )
        device = next((parameter.device for parameter in network.parameters()), inputs.device)
        with torch.no_grad():
            logits = network.eval()(inputs[:1].to(device))
        if tuple(logits.shape) != (1, n_classes) or not logits.isfinite().all():
            raise ValueError(
                f"references: expected finite logits of shape (1, {n_classes}) for one input, got shape "
                f"{tuple(logits.shape)} of network {number}{'' if logits.isfinite().all() else ', with nan or inf'}"
            )


def as_inputs(
    inputs: npt.ArrayLike | torch.Tensor | pd.DataFrame, table: Table | None = None, name: str = "inputs"
) -> torch.Tensor:
    """Inputs (n, *shape) as a float32 tensor on the CPU; ValueError for other shapes, or values outside [0, 1].

    table: by which data frames of n records are written as inputs; None where inputs are arrays; name: in errors.
    """
    if (table is None) == isinstance(inputs, pd.DataFrame):
        wanted = "arrays, or a model with a table" if table is None else "a data frame of records, as its table is"
        raise ValueError(f"{name}: expected {wanted}, got {type(inputs).__name__}")
    if np.shape(inputs)[:1] == (0,):
        raise ValueError(f"{name}: expected at least one, got none; look at what they were chosen by")
    if table is not None:
        inputs = table.encode(pd.DataFrame(inputs))
    if not isinstance(inputs, torch.Tensor):
        inputs = torch.from_numpy(np.array(inputs, dtype=np.float32))
    inputs = inputs.detach().to("cpu", torch.float32)
    if inputs.ndim < 2 or not inputs.numel():
        raise ValueError(
            f"{name}: expected shape (n, features) or (n, channels, height, width), got {tuple(inputs.shape)}"
            + "; a single input x is x[None]" * (inputs.ndim < 2)
        )
    low, high = inputs.min().item(), inputs.max().item()
    if not (low >= 0 and high <= 1):  # also where they are NaN
        raise ValueError(
            f"{name}: expected values in [0, 1], got {low:g} to {high:g}; scale them, and wrap a model that "
            "scales them back"
        )
    return inputs


def warn_of_axes(inputs: torch.Tensor) -> None:
    """Warn the caller's caller of images whose channels may lie on another axis than their first."""
    if inputs.ndim == 4 and (remark := axes_remark(tuple(inputs.shape[1:]))):
        warnings.warn(f"inputs: {remark} (of channels that come last: np.moveaxis(inputs, -1, 1))", stacklevel=3)


def as_queries(queries: npt.ArrayLike | torch.Tensor, inputs: torch.Tensor, options: Mapping[str, Any]) -> torch.Tensor:
    """Queries (n, q, *shape) as a float32 tensor on the CPU, for inputs (n, *shape).

    They may leave [0, 1]: whoever made them knows what the model takes. Raises ValueError for another shape, for what
    are no finite numbers, and for options, which queries that are made have none of.
    """
    if options:
        raise ValueError(
            f"{next(iter(options))}: queries that are given have no options; give them where you make these"
        )
    if not isinstance(queries, torch.Tensor):
        array = np.asarray(queries)
        if array.dtype.kind not in "fiub":
            raise ValueError(
                f"queries: expected a perturbation's name, or an array of plain numbers, got {array.dtype}"
            )
        queries = torch.from_numpy(array.astype(np.float32))
    if queries.is_complex():
        raise ValueError(f"queries: expected plain numbers, got {queries.dtype}")
    queries = queries.detach().to("cpu", torch.float32)
    n, *shape = inputs.shape
    if queries.ndim != inputs.ndim + 1 or queries.shape[:1] != (n,) or list(queries.shape[2:]) != shape:
        expected = ", ".join(map(str, (n, "q", *shape)))
        raise ValueError(f"queries: expected shape ({expected}), q for each input, got {tuple(queries.shape)}")
    if not queries.numel() or not queries.isfinite().all():
        raise ValueError("queries: expected at least one for each input, of finite numbers")
    return queries


def as_classes(classes: npt.ArrayLike, n: int, n_classes: int, name: str = "classes") -> np.ndarray:
    """True classes of n inputs as int64 (n,); ValueError, with their `name`, for other shapes, types or numbers."""
    classes = np.asarray(classes)
    if classes.shape != (n,) or classes.dtype.kind not in "iu":
        raise ValueError(
            f"{name}: expected integers of shape {(n,)}, one for each input, got {classes.dtype} of shape "
            f"{classes.shape}; number the classes from 0"
        )
    return in_range(name, classes, n_classes)


def as_membership(name: str, is_member: npt.ArrayLike, n: int) -> np.ndarray:
    """Membership of n points as bools (n,); ValueError for other shapes and types, or where all are of one kind."""
    is_member = np.asarray(is_member)
    if is_member.shape != (n,) or is_member.dtype != bool:
        raise ValueError(
            f"{name}: expected bools of shape {(n,)}, one for each point, got {is_member.dtype} of shape "
            f"{is_member.shape}"
        )
    if is_member.all() or not is_member.any():
        raise ValueError(f"{name}: expected members and non-members, got only one kind")
    return is_member


def check_reads(name: str, kind: str, reads: Sequence[str], observed: Observations) -> None:
    """Raise ValueError for an observation that an attack of this kind, which `reads` others, cannot read."""
    if isinstance(reads, str):
        raise ValueError(f"{kind}: reads: expected a tuple of observations, got {reads!r}; write ({reads!r},)")
    if not isinstance(observed, tuple({OBSERVATIONS[source].type for source in reads})):
        ways = " or ".join(READ_BY[source] for source in reads if source in READ_BY)
        raise ValueError(f"{name}: {kind} reads {' or '.join(reads)} ({ways}), got {type(observed).__name__}")


def check_alike(target: Observations, shadow: Observations, budget: int | None = None) -> None:
    """Raise ValueError for observations of two types, or of other queries. budget: of which the first are used."""
    if type(target) is not type(shadow):
        raise ValueError(
            f"shadow: expected {type(target).__name__} like the target's, got {type(shadow).__name__}; ask both alike"
        )
    asked, like = (of.magnitudes if isinstance(of, Answers) else of.features().shape[1] for of in (target, shadow))
    if not np.array_equal(asked, like):
        of = "magnitudes" if isinstance(target, Answers) else "columns"
        raise ValueError(
            f"shadow: expected {of} {_shown(asked)} like the target's, got {_shown(like)}; ask both with the same "
            "perturbation and options"
        )
    if isinstance(target, Distances) and isinstance(shadow, Distances):
        few, many = sorted(_most_queries(of, budget) for of in (target, shadow))
        if few and many > MOST_UNLIKE * few:
            raise ValueError(
                f"shadow: expected searches of as many queries as the target's, got at most {few} around a point of "
                f"one and {many} of the other; search both with the same budget, or give budget={few}"
            )


def _most_queries(searched: Distances, budget: int | None) -> int:
    """Of one point that needed a search; 0 where none did, or where searches stopped early."""
    spent = np.asarray(searched.n_queries)[..., -1].sum(axis=1)
    if searched.stopped is not None and np.any(searched.stopped) or not (spent > 1).any():
        return 0
    return min(int(spent.max()), budget or int(spent.max()))


def _shown(asked: np.ndarray | int) -> str:
    """A number, or the first few of several and how many there are."""
    several, most = np.atleast_1d(asked), 6
    return ", ".join(f"{value:g}" for value in several[:most]) + f" ... ({len(several)})" * (len(several) > most)


def build(package: str, name: str, kinds: Sequence[str], kind: str, options: Mapping[str, Any]) -> Any:
    """The object of one kind with its options: `name` of a module of lmia.package, or of the user's.

    Raises ValueError where `kind` is neither one of `kinds` nor the dotted path of a module that has such a class, or
    does not take the options.
    """
    if kind not in kinds and "." not in kind:
        raise ValueError(f"{kind}: expected one of {', '.join(kinds)}, or the dotted path of a module of yours")
    if (make := getattr(load(package, kind), name, None)) is None:
        raise ValueError(f"{kind}: expected a module with a class {name}, got one without; see docs/how-to/extend.md")
    try:
        inspect.signature(make).bind(**options)
    except TypeError as error:
        names = [option for option in inspect.signature(make).parameters if option not in OF_DATA]
        raise ValueError(f"{kind}: {error}; its options are ({', '.join(names)})") from error
    check_options(kind, options)
    return make(**options)


def load(package: str, kind: str) -> ModuleType:
    """The module of a kind, of lmia.package or of the user's. Raises ValueError where there is none."""
    try:
        return plugins.load(package, kind)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{kind}.".startswith(f"{error.name}."):
            raise  # of what it imports
        raise ValueError(
            f"{kind}: there is no module {error.name}; run Python where it lies, or set PYTHONPATH"
        ) from error
