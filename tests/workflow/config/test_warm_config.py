"""Searches that start at shadows: which studies have some, which models' searches read which, and who is refused."""

from types import SimpleNamespace

import pytest

from tests.workflow.config.bad_cases import POOL, changed
from workflow.config.job_params import Params
from workflow.config.load import ConfigError, check
from workflow.config.result_files import Paths

WARM = {"kind": "hopskipjump", "schedule": "warm", "budget": 60}


def with_warm(query=None, shadows=3, **study):
    config = changed("figures", value={})
    config["queries"]["warm"] = WARM | (query or {})
    config["attacks"] |= {
        "warm": {"kind": "distance", "reads": "warm"},
        "beside": {"kind": "calibrated_distance", "reads": "warm", "budgets": [30]},
    }
    of_study = {"dataset": "digits", "n_train": [100], "model": "mlp", "seeds": [0], "shadows": shadows}
    config["studies"] = {"near": of_study | study}
    return config


def job(role, query="warm"):
    return SimpleNamespace(study="near", cell="n100-none", seeds="0", role=role, query=query)


@pytest.mark.parametrize(
    "n, role, expected",
    [
        (None, "target", ["shadow0"]),
        (2, "target", ["shadow0", "shadow1"]),
        (None, "shadow0", ["shadow1", "shadow2"]),
        (2, "shadow1", ["shadow2", "shadow0"]),
        (1, "shadow2", ["shadow0", "shadow1"]),
    ],
)
def test_the_target_starts_at_the_first_shadows_and_each_shadow_at_all_others_in_turn(n, role, expected):
    config = check(with_warm({} if n is None else {"references": n}))
    paths, params = Paths(config), Params(config, {})
    found = paths.references("results/models/{models}/{role}.npz")(job(role))
    assert found == [f"results/models/near/n100-none/0/{other}.npz" for other in expected]
    assert params.search(job(role))["references"] == (n or 1)
    assert paths.references("{role}")(job(role, "boundary")) == []
    assert "references" not in params.search(job(role, "boundary"))


def test_all_attacks_run_where_there_are_shadows_enough():
    config = check(with_warm())
    assert {"warm", "beside"} <= set(config.attacks_of(config.studies["near"]))


@pytest.mark.parametrize(
    "config, message",
    [
        (
            with_warm(shadows=None),
            r"studies\.near\.shadows: 1: searches of queries\.warm start at 1 of them, and those of a shadow at "
            "others; use at least 2, or leave out",
        ),
        (with_warm({"references": 3}), r"studies\.near\.shadows: 3: .* start at 3 of them, .*; use at least 4,"),
        (
            with_warm(splits="halves", shadows=None, attacks=["beside"]),
            r"queries\.warm\.schedule: warm: starts at shadows that share no example with the target, and "
            r"studies\.near has splits: halves; set splits: disjoint, or leave out",
        ),
        (
            with_warm(**POOL | {"attacks": ["warm"], "shadows": None}),
            r"queries\.warm\.schedule: warm: .* has splits: pool; set splits: disjoint",
        ),
        (
            with_warm({"schedule": "economical", "references": 2}),
            r"queries\.warm\.references: 2: only searches of schedule: warm start at shadows; remove it, or set that",
        ),
        (
            with_warm({"random_inputs": 9}),
            r"queries\.warm\.random_inputs: 9: no shadow says where searches around them start; remove this, or",
        ),
        (with_warm({"budget": 5}), r"queries\.warm\.budget: 5: to reach the boundary once, .*; use at least 6$"),
        (
            with_warm({"shift_pixels": 1}, dataset="digits", attacks=["beside"]),
            r"attacks\.beside\.reads: warm: searches shifted copies too, which a calibrated_distance attack does not ",
        ),
        (
            with_warm({"schedule": "economical"}),
            r"attacks\.beside\.reads: warm: starts at no shadows, whose distance a calibrated_distance attack compares "
            "with; let it read a query set of kind hopskipjump with schedule: warm",
        ),
    ],
)
def test_who_has_no_shadow_to_start_at_is_told_so(config, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        check(config)


@pytest.mark.parametrize(
    "study", [{"splits": "halves"}, {key: value for key, value in POOL.items() if key != "attacks"}]
)
def test_other_splits_leave_such_attacks_out_where_they_name_none(study):
    raw = with_warm(**{"shadows": None} | study)
    del raw["attacks"]["boundary-stopped"]
    config = check(raw)
    assert not {"warm", "beside"} & set(config.attacks_of(config.studies["near"]))
