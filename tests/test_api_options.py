"""Options of the functions of `import lmia`: what the configuration refuses, they refuse."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import lmia
from lmia import api, api_options, api_pools
from tests.api_inputs import DISTANCES, HALF, NOISE, NOISY, SURE, X, Y, constant
from workflow.config.schema.attacks import AnyRule
from workflow.config.schema.queries import AnyQuery

OPTIONS = {  # that both take, of each kind that has some
    "rotation": {"degrees": [3], "angles": "all", "interpolation": "nearest", "border": "black"},
    "translation": {"pixels": [1]},
    "augmented": {"pixels": [1], "samples": 2, "flips": False, "cutout": 1},
    "augmentation_grid": {"flips": True, "shifts": [0, 1], "border": "repeat"},
    "gaussian": {"sigmas": [0.1], "samples": 2},
    "bernoulli": {"flips": [1], "samples": 2},
    "mixed": {"continuous": 1, "sigmas": [0.1], "flips": [1], "samples": 2},
    "table": {"changes": [1], "samples": 2, "move": 0.5},
    "words": {"shares": [0.5], "samples": 2, "replace": 0.5},
    "hopskipjump": {"budget": 50, "shift_pixels": 0, "random_inputs": 0},
    "directions": {"directions": ["white"], "levels": 4, "method": "scan"},
    "vote": {"with_input": True, "budget": 1},
    "distance": {"threshold": "shadows", "quantile": 0.5, "budget": 1},
    "dhattack": {"variance": "each", "published": True, "budget": 1},
    "classifier": {"hidden": [2], "weight_decays": [1.0], "folds": 2, "seed": 0, "budget": 1},
    "lira": {"online": True, "variance": "each"},
    "difference": {"between": True},
    "logistic": {"inverse_penalty": 1.0},
    "rmia": {"online": True, "a": 0.3, "gamma": 1.0},
}
# Of the schema alone: how files and jobs are read, the precision of asking, and searches that the API does not offer.
OF_THE_WORKFLOW = {"kind", "reads", "budgets", "shadows", "precision", "most_disagreement", "relabelled"}
OF_THE_WORKFLOW |= {"schedule", "references", "initial_probes", "init_tries", "stop_error"}
PLAIN = [-1, 0, -0.1, 0.5, 1, 2.5, 181, float("nan"), float("inf"), "grey", "", True, None, [], {}]
REFUSED = [
    *PLAIN,
    *([value] for value in PLAIN),
    [1, 1],
    ["white", "white"],
    [[1]],
    [[0.1], [0.2, 0.3]],
]  # of some options, not of all
SCHEMA = {kind: entry for of in (AnyQuery, AnyRule) for entry in get_args(get_args(of)[0]) for kind in entry.kinds()}


@pytest.mark.parametrize("kind, name", [(kind, name) for kind, own in OPTIONS.items() for name in own])
def test_what_the_configuration_refuses_of_an_option_the_functions_refuse(kind, name):
    """But for upper limits on what takes memory and time."""
    reads = {"reads": "q"} if "reads" in SCHEMA[kind].model_fields else {}
    taken = []
    for value in REFUSED:
        options = OPTIONS[kind] | {name: value}
        try:
            SCHEMA[kind].model_validate({"kind": kind, **reads, **options})
            taken.append(value)
        except ValidationError:
            with pytest.raises((ValueError, TypeError), match=rf"\b{name}\b"):
                given_to_function(kind, options)
    assert len(taken) < len(REFUSED) / 2


def given_to_function(kind, options):
    """Give options to the function of the API that takes this kind."""
    if kind in api.PERTURBATIONS:
        records = pd.DataFrame({"age": [1, 2], "note": ["a b", "c d"]})
        table = lmia.Table.of(records, pd.Series(["n", "y"]), texts=["note"])
        model = lmia.Model(lambda of: ["n"] * len(of), 2, table)
        asked = (model, records, ["n", "y"]) if kind in api.OF_RECORDS else (lmia.Model(constant, 2), X, Y)
        lmia.query_labels(*asked, kind, **options)
    elif kind in ("hopskipjump", "directions"):
        search = lmia.search_boundary if kind == "hopskipjump" else lmia.search_directions
        search(lmia.Model(constant, 2), X, Y, **options)
    elif kind in api_pools.CALIBRATIONS:
        lmia.attack_pool(kind, [SURE] * 6, lmia.draw_pool(4, 6), **options)
    else:
        observed = {"vote": NOISY, "classifier": NOISY}.get(kind, DISTANCES)
        lmia.attack(kind, observed, observed, HALF, **options)


@pytest.mark.parametrize("kind", sorted(SCHEMA.keys() & {*api.PERTURBATIONS, *api.ATTACKS, *api_pools.CALIBRATIONS}))
def test_all_options_of_the_configuration_are_tried(kind):
    own = SCHEMA[kind].model_fields.keys() - OF_THE_WORKFLOW
    assert own - {"budget"} == OPTIONS.get(kind, {}).keys() - {"budget"}
    assert api_options.OPTIONS.get(kind, {}).keys() == own - {"budget"}


@pytest.mark.parametrize("options", [{"sigmas": np.float32([0.1, 0.2]), "samples": np.int64(2)}, NOISE])
def test_numbers_of_numpy_are_options_too(options):
    answers = lmia.query_labels(lmia.Model(constant, np.int64(2)), X, Y, "gaussian", **options)
    assert answers.labels.shape[1] == 1 + 2 * options["samples"]
