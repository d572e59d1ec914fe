"""Studies whose models are a pool: which attacks run in them, and what goes with what."""

import copy
import re
from pathlib import Path

import numpy as np
import pytest

from lmia.evaluation.flags import rate_flags
from tests.workflow.config.bad_cases import POOL, ROOT, changed
from workflow.config.load import ConfigError, check, load

PAGE = (ROOT / "docs/how-to/own-data.md").read_text()
SIZES = re.findall(r"^\| (\S+) % \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", PAGE, re.M)


def with_pool(**more):
    config = changed("figures", value={})
    config["attacks"] |= {
        "ratio": {"kind": "lira", "reads": "boundary", "budgets": [50], "shadows": [6, 4]},
        "regression": {"kind": "logistic", "reads": "rotations"},
    }
    config["studies"]["pool"] = POOL | {"seeds": ["4-9", 1, 0]} | more
    return config


def test_calibrated_attacks_run_in_pools_alone():
    config = check(with_pool())
    everywhere = [
        name for name in config.attacks if name not in ("ratio", "regression", "table", "words", "difficulty")
    ]
    assert config.attacks_of(config.studies["digits-mlp"]) == everywhere
    del (raw := with_pool())["attacks"]["boundary-stopped"], raw["studies"]["pool"]["attacks"]
    all_of_images = [name for name in raw["attacks"] if name not in ("table", "words", "difficulty")]
    assert (pools := check(raw)).attacks_of(pools.studies["pool"]) == all_of_images
    assert config.settings_of("ratio") == ["", "budget=50"] and config.settings_of("regression") == [""]
    assert config.attacks["ratio"].shadows == [4, 6]


def test_a_pool_has_pairs_of_models_a_number_and_no_shadows_apart():
    study = check(with_pool(pool=3)).studies["pool"]
    assert study.models() == [0, 1, 4, 5, 6, 7, 8, 9] and study.pool_number() == 3 and study.shadow_roles() == []
    assert check(with_pool()).studies["pool"].pool_number() == 0
    other = check(with_pool()).studies["digits-mlp"]
    assert other.pool_number() is None and other.shadow_roles() == ["shadow0"]


def test_calibration_without_a_pool_is_refused():
    config = with_pool()
    config["studies"]["digits-mlp"]["attacks"] = ["gap", "ratio"]
    message = "^studies.digits-mlp.attacks: ratio: calibrates each example, which needs splits: pool; leave it out$"
    with pytest.raises(ConfigError, match=message):
        check(config)


CRAFTED = {"oslo": {"kind": "oslo", "sources": 2, "validators": 1}, "yoqo": {"kind": "yoqo"}}
READING = {"one-shot": {"kind": "kept", "reads": "oslo"}, "once": {"kind": "kept", "reads": "yoqo"}}


def with_crafted(**more):
    config = with_pool(attacks=["gap", *READING], **more)
    config["queries"] |= CRAFTED
    config["attacks"] |= READING
    return config


def test_crafted_queries_are_asked_of_pools_alone():
    config = check(with_crafted())
    assert not READING.keys() & set(config.attacks_of(config.studies["digits-mlp"]))
    assert config.settings_of("one-shot") == ["", "epsilon=0.313725"] and config.settings_of("once") == ["", "steps=50"]
    raw = with_crafted()
    raw["studies"]["digits-mlp"]["attacks"] = ["gap", "once"]
    message = (
        "^studies.digits-mlp.attacks: once: queries.yoqo is crafted for the examples of a pool, which needs splits: "
        "pool; leave it out$"
    )
    with pytest.raises(ConfigError, match=message):
        check(raw)


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"epsilon": {}},
            "epsilon: shadows answer what yoqo crafts from the target's own coins, so what once guesses bounds "
            "nothing; leave once out, or epsilon",
        ),
        (
            {"seeds": ["0-1", "4-5", "8-9"]},
            "seeds: queries.yoqo is crafted from every other pair and asked of the rest, of which there is none; add "
            "pairs between",
        ),
    ],
)
def test_what_half_a_pool_makes_for_the_other_needs_both_and_bounds_no_epsilon(change, message):
    with pytest.raises(ConfigError, match=f"^studies.pool.{message}$"):
        check(with_crafted(**change))


RELABELLED = {
    "transferred": {"kind": "relabelled"},
    "largest": {"kind": "directions", "directions": ["largest"], "relabelled": 3},
}
BY_LABELS = {"transfer": {"kind": "transfer", "reads": "transferred"}, "dh": {"kind": "dhattack", "reads": "largest"}}


def with_relabelled(**more):
    config = with_pool(attacks=["gap", *BY_LABELS], **more)
    config["queries"] |= copy.deepcopy(RELABELLED)
    config["attacks"] |= BY_LABELS
    return config


def test_relabelled_models_are_of_targets_of_pools_alone():
    config = check(with_relabelled())
    assert not BY_LABELS.keys() & set(config.attacks_of(config.studies["digits-mlp"]))
    assert [config.queries[name].n_relabelled() for name in ("transferred", "largest", "original")] == [1, 3, 0]
    assert config.queries["largest"].relabelled_roles() == ["relabelled0", "relabelled1", "relabelled2"]
    raw = with_relabelled()
    raw["studies"]["digits-mlp"] |= {"attacks": ["gap", "dh"], "relabelled": 40}
    message = (
        "^studies.digits-mlp.relabelled: 40: only a pool has some; remove it, or set splits: pool\n"
        "studies.digits-mlp.attacks: dh: models of queries.largest are trained on labels of a pool's targets, which "
        "needs splits: pool; leave it out$"
    )
    with pytest.raises(ConfigError, match=message):
        check(raw)


def test_an_attack_needs_as_many_relabelled_models_as_it_compares():
    raw = with_relabelled()
    raw["queries"]["largest"]["relabelled"] = 1
    message = (
        "^attacks.dh.reads: largest: has 1 of the relabelled models of which a dhattack attack needs 2; raise its "
        "relabelled$"
    )
    with pytest.raises(ConfigError, match=message):
        check(raw)
    raw["queries"]["largest"] |= {"relabelled": 2, "directions": ["white", "largest"]}
    message = "^queries.largest.relabelled: 2: these models are compared in one direction; give it a query set of one"
    with pytest.raises(ConfigError, match=message):
        check(raw)


def test_models_that_are_trained_on_labels_of_targets_know_no_true_class():
    raw = with_relabelled(defenses=["none", "game"])
    game = {"kind": "adversarial_regularization", "strength": 1.0, "epochs": 5}
    raw["defenses"] = {"none": {"kind": "none"}, "game": game}
    message = (
        "^studies.pool.defenses: game: learns from further points by their true classes, which nobody knows who has "
    )
    with pytest.raises(ConfigError, match=message):
        check(raw)
    raw["studies"]["pool"]["attacks"] = ["gap"]
    check(raw)


def test_points_to_label_are_there_beside_the_pool():
    check(with_relabelled(n_train=[200]))
    assert check(with_relabelled(n_train=[200])).studies["pool"].n_relabelled(200) == 800
    for more, points in (({}, "1200, 4 times n_train, as it is not stated"), ({"relabelled": 1198}, "1198")):
        message = (
            f"^studies.pool.relabelled: {points}: the pool's 600 examples leave 1197 of digits for queries.largest; "
            "lower it, or n_train$"
        )
        with pytest.raises(ConfigError, match=message):
            check(with_relabelled(n_train=[300], **more))
    check(with_relabelled(n_train=[300], relabelled=1197))
    with pytest.raises(ConfigError, match="^studies.pool.relabelled: 0: "):
        check(with_relabelled(relabelled=0))


def test_surrogates_need_a_third_of_the_data_set():
    check(with_crafted(n_train=[599]))
    message = (
        "^studies.pool.n_train: 600: surrogates of queries.oslo need 600 examples beside the pool's 1200, digits has "
        "1797; use at most 599$"
    )
    with pytest.raises(ConfigError, match=message):
        check(with_crafted(n_train=[600]))


@pytest.mark.parametrize("kind", ["vote", "lira", "difference", "logistic"])
def test_what_half_a_pool_makes_for_the_other_is_not_compared(kind):
    config = with_crafted()
    config["attacks"]["once"]["kind"] = kind
    message = (
        "^attacks.once.reads: yoqo: is not asked of all models alike, as each half of a pool makes the queries of the "
        f"other, and a {kind} attack compares models; use kind kept$"
    )
    with pytest.raises(ConfigError, match=message):
        check(config)


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"reads": "original"},
            "with_input: false: queries.original asks no other input; remove this, or read another",
        ),
        ({"reads": "oslo", "budgets": [1, 2]}, "with_input: False: leaves no label of a budget of 1; raise that"),
    ],
)
def test_a_vote_without_the_input_needs_another_label(change, message):
    config = with_crafted()
    config["attacks"]["one-shot"] = {"kind": "vote", "with_input": False} | change
    with pytest.raises(ConfigError, match=f"^attacks.one-shot.{message}"):
        check(config)


def test_a_pool_has_as_many_shadows_as_it_leaves():
    config = with_pool(attacks=["ratio"])
    config["attacks"]["ratio"]["shadows"] = [4, 8]
    message = "^attacks.ratio.shadows: 8: 8 models leave 6 of studies.pool for a target; lower it$"
    with pytest.raises(ConfigError, match=message):
        check(config)


def test_rules_with_a_variance_need_pools_of_eight():
    """Shadows that a threshold is chosen on are scored by those of neither their own pair nor the target's."""
    config = with_pool(seeds=["0-5"], attacks=["ratio", "regression"])
    config["attacks"]["ratio"]["shadows"] = []
    message = (
        "^studies.pool.seeds: 6 models: leave 2 to judge the shadows that a threshold of ratio is chosen on, and a "
        "lira attack needs 4 for a variance; use at least 8, or kind difference$"
    )
    with pytest.raises(ConfigError, match=message):
        check(config)
    config["attacks"]["ratio"]["kind"] = "difference"
    check(config)


@pytest.mark.parametrize("kind, reads", [("lira", "boundary"), ("attack_r", "confidences")])
def test_rules_with_a_variance_are_not_reported_with_two_shadows(kind, reads):
    config = with_pool()
    config["attacks"]["ratio"] = {"kind": kind, "reads": reads, "shadows": [2, 4]}
    message = r"^attacks.ratio.shadows: \[2, 4\]: 2 are too few for a variance; leave them out, or use kind difference$"
    with pytest.raises(ConfigError, match=message):
        check(config)


def test_a_population_is_of_what_is_left():
    config = with_pool(n_train=[800], attacks=["gap", "share"])
    config["queries"]["confidences"] = {"kind": "confidences", "population": 198}
    config["attacks"]["share"] = {"kind": "rmia", "reads": "confidences"}
    message = "^queries.confidences.population: 198: members and non-members leave 197 of digits; lower it$"
    with pytest.raises(ConfigError, match=message):
        check(config)
    config["queries"]["confidences"]["population"] = 197
    check(config)
    del config["queries"]["confidences"]["population"]
    with pytest.raises(ConfigError, match="share.reads: confidences: has no population, which rmia needs; set its pop"):
        check(config)


def test_what_the_paper_claims_of_seeds_is_not_asked_of_a_pool():
    config = with_pool()
    claim = {"says": "more", "study": "pool", "attacks": ["gap"], "against": ["chance"]}
    config["exhibits"] = {"table_1": {"title": "Table 1", "claims": [claim]}}
    message = "claims.0.study: pool: models of a pool are no independent seeds; see results/differences/pool/$"
    with pytest.raises(ConfigError, match=message):
        check(config)


@pytest.mark.parametrize(
    "body, calibrates",
    [
        (
            "class Calibration:\n    reads = ('labels',)\n\n"
            "    def score(self, target, shadows, is_member):\n        pass\n",
            True,
        ),
        (
            "class Attack:\n    reads = ('labels',)\n\n    def fit(self, shadow, is_member):\n        pass\n\n"
            "    def score(self, target):\n        pass\n",
            False,
        ),
    ],
)
def test_a_plug_in_calibrates_where_it_says_so(tmp_path, monkeypatch, body, calibrates):
    (tmp_path / f"own{calibrates}").mkdir()
    (tmp_path / f"own{calibrates}/rule.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    config = with_pool(attacks=["own"])
    config["attacks"]["own"] = {"kind": f"own{calibrates}.rule", "reads": "original"}
    checked = check(config)
    assert checked.attacks["own"].calibrates is calibrates
    assert ("own" in checked.attacks_of(checked.studies["digits-mlp"])) is not calibrates
    config["attacks"]["own"]["reads"] = "boundary"
    with pytest.raises(ConfigError, match="attacks.own.reads: boundary: yields distances, a .* attack reads labels"):
        check(config)


def test_the_pool_of_the_page_on_own_data_can_be_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("mine.npz", inputs=np.zeros((2000, 3), np.float32), classes=np.arange(2000) % 2)
    Path("pool.yaml").write_text(re.findall(r"```yaml\n(# pool.yaml\n.*?)```", PAGE, re.S)[0])
    config = load("pool.yaml")
    study = config.studies["few"]
    assert study.models() == list(range(16)) and config.attacks_of(study) == ["gap", "boundary", "boundary-lira"]
    assert config.attacks["boundary-lira"].shadows == [4, 8] and config.attacks["boundary-lira"].calibrates


@pytest.mark.parametrize(
    "rate, n_models, n_train", [(row[0], k, n) for row in SIZES for k, n in zip((8, 16, 32), row[1:], strict=True)]
)
def test_the_sizes_of_that_page_are_the_smallest_without_a_flag(rate, n_models, n_train):
    for n, flag in ((int(n_train.replace(",", "")), ""), (int(n_train.replace(",", "")) - 1, "9 false alarms allowed")):
        is_member = np.arange(n_models)[:, None] % 2 == np.arange(2 * n) % 2
        scores = np.arange(is_member.size).reshape(is_member.shape)
        assert rate_flags(scores, is_member, float(rate) / 100) == flag


def test_that_page_has_sizes_for_two_rates():
    assert [row[0] for row in SIZES] == ["1", "0.1"]
