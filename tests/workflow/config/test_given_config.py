"""Studies of models that exist already: what they need, what goes with them, and what does not."""

import hashlib
import re
from types import SimpleNamespace

import pytest

from lmia import plugins
from lmia.plugins import SHADOW
from tests.workflow.config.given_studies import API, STUDY, given, refuse
from workflow.config.job_params import Params
from workflow.config.load import ConfigError, check
from workflow.config.result_files import Paths

pytestmark = pytest.mark.usefixtures("given_files")


def test_a_given_model_has_no_shadow_and_is_built_as_its_architecture_says():
    config = check(given())
    study = config.studies["audit"]
    assert study.is_given and study.shadow_roles() == [] and study.pool_number() is None
    assert config.model_of(study) is config.models["mlp"]
    assert config.datasets["records"].known() == (60, 80)
    assert not config.studies["digits-mlp"].is_given and config.datasets["digits"].known() == (0, 0)


def test_membership_is_nothing_that_a_data_set_depends_on():
    """Nor is where a model lies anything that answers depend on: its content is."""

    params = Params(check(given()), {})
    assert "membership" not in params.dataset(Audit)
    assert params.membership(Audit) == {
        "kind": "npz",
        "membership": ["known"],
        "classes": ["classes"],
    }
    assert params.target(Audit) == {"kind": "torch", "model": "mlp"}
    assert params.model(Audit)["kind"] == "mlp"
    trust = hashlib.sha256(b"mine.ts").hexdigest()
    scripted = given()
    scripted["targets"]["mine"] = {"kind": "torchscript", "file": "mine.ts", "trust": trust.upper()}
    assert Params(check(scripted), {}).model(Audit) == {"kind": "lmia.targets.torchscript", "trust": trust}


def test_attacks_that_nobody_names_are_those_that_can_run():
    """The default study has an attack that stops by a shadow, and some that read confidences."""
    everything, target = check(given({"attacks": None})), CLIENT | {"address": "here"}
    names = everything.attacks_of(everything.studies["audit"])
    assert "true-confidence" in names and "boundary-stopped" not in names and "gap" in names
    alone = check(given({"attacks": None}, target=target))
    left_out = set(names) - set(alone.attacks_of(alone.studies["audit"]))
    assert left_out == {name for name in names if alone.attacks[name].reads == "confidences"}


def test_a_trainer_makes_any_given_model_one_that_can_be_compared():
    """And what a model is trained by is nothing that the model itself depends on, where it is there already."""
    alone, compared = (
        check(given({"attacks": None}, target=target, trainers=TRAINERS)) for target in (None, {"trainer": "own"})
    )
    assert {*compared.attacks_of(compared.studies["audit"])} - {*alone.attacks_of(alone.studies["audit"])} == {
        name for name, attack in alone.attacks.items() if alone.queries[attack.reads].observation == "references"
    }
    jobs = [Params(config, {}) for config in (alone, compared)]
    assert jobs[0].model(Audit) == jobs[1].model(Audit) and jobs[0].target(Audit) == jobs[1].target(Audit)
    assert jobs[1].trainer(Audit) == {"kind": "plugins.training"} and jobs[1].own_trainer(Audit) is None
    here = given({"n_train": [60]}, target={"weights": None, "trainer": "own"}, trainers=TRAINERS)
    unfinished = Params(check(here), {})
    assert unfinished.own_trainer(Audit) == {"kind": "plugins.training"}


class Audit:
    dataset, study = "records", "audit"


IN_QUESTION = {"in_question": 40}


@pytest.mark.parametrize("known", ["others", "some"])
def test_records_in_question_are_compared_with_others_where_few_members_are_known(known):
    config = check(given(IN_QUESTION | {"attacks": None}, {"membership": [known]}))
    study = config.studies["audit"]
    names = config.attacks_of(study)
    assert config.is_without_members(study) and not config.is_without_members(config.studies["digits-mlp"])
    assert {"gap", "boundary", "gaussian"} <= set(names) and not {"rotation", "true-confidence"} & set(names)
    paths = Paths(config)
    assert paths.without_members() == ["audit"] and paths.with_members() == []
    assert "results/tables/audit.csv" not in paths.tables() and paths.whole_table() == ["results/metrics.csv"]
    results = paths.all_results()
    assert "results/audits/audit/report.html" in results and "results/tables/digits-mlp.csv" in results
    assert not [path for path in results if re.match(r"results/(scores|measures|scores_in_question)/audit/", path)]
    assert not check(given(IN_QUESTION)).is_without_members(study.model_copy(update={"in_question": None}))


def test_where_nothing_is_known_an_attack_decides_that_needs_nothing():
    config = check(given(IN_QUESTION | {"attacks": None}, {"membership": ["hardly"]}, **FREE))
    study, paths = config.studies["audit"], Paths(config)
    assert config.attacks_of(study) == ["free"] and config.known_kinds(study) == []
    assert paths.without_known() == ["audit"] and paths.with_others() == paths.with_members() == []
    results = paths.all_results()
    assert "results/audits/audit/report.html" in results and "results/tables/audit.csv" not in results
    answers = [path for path in results if path.startswith("results/distances/audit/")]
    assert answers == ["results/distances/audit/n500-none/0/in-question/random.npz"]
    assert config.most_sent(study)[0] == ("records in question", 40, 1)


def test_shadows_are_models_of_their_own_and_are_built_as_their_kind_can_be():
    """In place of weights; trained again by itself; or by its trainer wherever it is asked, with nothing to pay."""
    program = {"kind": "torchscript", "file": "mine.ts", "trust": TRUST}
    targets = {
        "torch": ({"trainer": "own"}, "lmia.models.mlp", ["lmia.models.mlp"]),
        "sklearn": ({"kind": "sklearn", "file": "mine.ts", "trust": TRUST} | NO_TORCH, "lmia.targets.sklearn", None),
        "program": (program | NO_TORCH | {"trainer": "own"}, SHADOW, [SHADOW, "plugins.training"]),
        "paid": (API | {"trainer": "own"}, SHADOW, [SHADOW, "plugins.training"]),
    }
    for target, module, modules in targets.values():
        config = check(given({"shadows": 4}, target=target, trainers=TRAINERS))
        study, wildcards = config.studies["audit"], SimpleNamespace(study="audit", role="shadow1")
        assert study.shadow_roles() == ["shadow0", "shadow1", "shadow2", "shadow3"]
        params = Params(config, {})
        assert params.model_entry(wildcards).module == module
        assert params.model_entry(wildcards).modules == (modules or [module])
        assert plugins.modules(models=params.model(wildcards)) == params.model_entry(wildcards).modules
        of_target = params.model(SimpleNamespace(study="audit", role="target"))
        assert (params.model(wildcards) == of_target) == (module == "lmia.models.mlp")
        assert params.shadow_place(wildcards) == ("file" if module == "lmia.targets.sklearn" else None)
        roles = {path.split("/")[-1] for path in Paths(config).all_results() if path.startswith("results/models/audit")}
        assert roles == {f"{role}.npz" for role in ("target", *study.shadow_roles())}
        assert config.most_sent(study) == check(given(target=target, trainers=TRAINERS)).most_sent(study)


def test_records_in_question_are_asked_anew_for_no_other_number_of_known_ones():
    params = [Params(check(given(IN_QUESTION | {"evaluated": n, "attacks": ["gap"]})), {}) for n in (50, 60)]
    for role, expected in (("in-question", {None}), ("target", {50, 60})):
        wildcards = SimpleNamespace(study="audit", role=role)
        assert {of.evaluated_of_role(wildcards) for of in params} == expected


FREE = {
    "queries": {"random": {"kind": "hopskipjump", "budget": 100, "random_inputs": 9}},
    "attacks": {"free": {"kind": "distance", "reads": "random", "threshold": "random_inputs"}},
}
NO_TORCH = {"model": None, "weights": None}
CLIENT = {"kind": "plugins.client", "model": None, "weights": None}
TRUST = hashlib.sha256(b"mine.ts").hexdigest()
TRAINERS = {"own": {"kind": "plugins.training"}}
OTHER = STUDY | {"dataset": "records"}
BAD = {
    "a trainer that nobody defined": (
        {"target": {"trainer": "own"}},
        "targets.mine.trainer: own: not defined under trainers; add it there",
    ),
    "neither weights nor a trainer": (
        {"target": {"weights": None}},
        "targets.mine.weights: None: give the file of its state_dict, or a trainer that makes one",
    ),
    "an option that the trainer does not take": (
        {"target": {"trainer": "own"}, "trainers": {"own": TRAINERS["own"] | {"epoch": 3}}},
        "trainers.own.epoch: unknown key; did you mean epochs?",
    ),
    "two ways to train": (
        {
            "target": {"kind": "sklearn", "file": "mine.ts", "trust": TRUST, "settings": {}, "trainer": "own"}
            | dict.fromkeys(["model", "weights"]),
            "trainers": TRAINERS,
        },
        "targets.mine.settings: {}: says how it is trained, as trainer does; remove one of them",
    ),
    "an alternative that nobody defined": (
        {"study": {"alternatives": ["pruned"]}},
        "studies.audit.alternatives: pruned: no study or audit of that name; expected one of: digits-mlp, ",
    ),
    "an alternative on other records": (
        {"study": {"alternatives": ["digits-mlp"]}},
        "studies.audit.alternatives: digits-mlp: is no study of a given model on records, so nothing compares; name "
        "one, or remove it",
    ),
    "a model that would be trained on nobody": (
        {
            "target": {"weights": None, "trainer": "own"},
            "trainers": TRAINERS,
            "dataset": {"membership": ["others"]},
            "study": {"in_question": 40},
        },
        "studies.audit.model: mine: is trained on its known members, of which there are too few; give its weights",
    ),
    "an alternative that is asked other questions": (
        {
            "study": {"alternatives": ["other"], "attacks": ["gap", "gaussian"]},
            "studies": {"other": OTHER | {"attacks": ["gap"]}},
        },
        "studies.audit.alternatives: other: has other attacks (gaussian); give both the same, so that they compare",
    ),
    "an alternative on others of the records": (
        {"study": {"alternatives": ["other"]}, "studies": {"other": OTHER | {"evaluated": 55}}},
        "studies.audit.alternatives: other: has other records (by evaluated, or its seed); give both the same, so that",
    ),
    "more records than there are to train on": (
        {"target": {"weights": None, "trainer": "own"}, "trainers": TRAINERS},
        "studies.audit.n_train: 500: is trained on the 60 known members; write that",
    ),
    "a random state that the seed decides": (
        {
            "target": {"kind": "sklearn", "file": "mine.ts", "trust": TRUST, "settings": {"a__random_state": 1}}
            | dict.fromkeys(["model", "weights"])
        },
        "targets.mine.settings.a__random_state: is decided by the seed, and by the job; remove it",
    ),
    "an alternative to itself": (
        {"study": {"alternatives": ["audit"]}},
        "studies.audit.alternatives: audit: has alternatives of its own; let one of them all name the others",
    ),
    "alternatives to what is trained here": (
        {"studies": {"digits-mlp": STUDY | {"model": "mlp", "splits": "disjoint", "alternatives": ["audit"]}}},
        "studies.digits-mlp.alternatives: ['audit']: only the page of a given model has some; remove it",
    ),
    "a target that nobody defined": (
        {"study": {"model": "mlp"}},
        "studies.audit.model: mlp: not defined under targets; expected one of: mine",
    ),
    "trained here": (
        {"study": {"splits": "halves", "n_train": [20]}},
        "studies.audit.model: mine: not defined under models; expected one of: mlp, cnn\n"
        "studies.audit.model: mine: is a given model, and not trained here; set splits: given",
    ),
    "two seeds": (
        {"study": {"seeds": ["0-1"]}},
        "studies.audit.seeds: ['0-1']: a given model is one, and has one seed, of what is drawn; write [0]",
    ),
    "two sizes": (
        {"study": {"n_train": [500, 600]}},
        "studies.audit.n_train: [500, 600]: a given model is one; state the size of its training set",
    ),
    "a defense": (
        {"study": {"defenses": ["guard"]}, "defenses": {"none": {"kind": "none"}, "guard": {"kind": "memguard"}}},
        "studies.audit.defenses: ['guard']: a given model is asked as it is; remove this",
    ),
    "shadows of what nobody can train": (
        {"study": {"shadows": 4}},
        "studies.audit.shadows: 4: mine: nothing says how models like it are trained; give its target a trainer",
    ),
    "few shadows": (
        {"study": {"shadows": 3}, "target": {"trainer": "own"}, "trainers": TRAINERS},
        "studies.audit.shadows: 3: too few to show how much models of one training differ; use at least 4",
    ),
    "shadows without members": (
        {"study": IN_QUESTION | {"shadows": 4}, "dataset": {"membership": ["others"]}}
        | {"target": {"trainer": "own"}, "trainers": TRAINERS},
        "studies.audit.shadows: 4: teach how known records are judged, of which there are too few; remove it",
    ),
    "confidences of shadows that give none": (
        {"study": {"shadows": 4, "attacks": ["gap", "true-confidence"]}, "trainers": TRAINERS}
        | {"target": {"kind": "torchscript", "file": "mine.ts", "trust": TRUST, "trainer": "own"} | NO_TORCH},
        "studies.audit.attacks: true-confidence: reads more than labels, and shadows that a trainer makes may give",
    ),
    "rounding shadows that are no network": (
        {"study": {"shadows": 4, "attacks": ["gap", "rounded"]}, "trainers": TRAINERS}
        | {"target": {"kind": "torchscript", "file": "mine.ts", "trust": TRUST, "trainer": "own"} | NO_TORCH}
        | {"queries": {"rounded": {"kind": "hopskipjump", "budget": 100, "precision": "bfloat16"}}}
        | {"attacks": {"rounded": {"kind": "distance", "reads": "rounded"}}},
        "studies.audit.attacks: rounded: rounds a network, and shadows that a trainer makes may be none; leave it out",
    ),
    "more folds than members of shadows": (
        {"study": {"attacks": ["gap", "own"], "shadows": 4, "evaluated": 50}}
        | {"attacks": {"own": {"kind": "classifier", "reads": "m", "folds": 201}}}
        | {"queries": {"m": {"kind": "gaussian", "sigmas": [0.1], "samples": 4}}}
        | {"target": {"trainer": "own"}, "trainers": TRAINERS},
        "attacks.own.folds: 201: more than the shadow's 200 members that are asked about\n"
        "attacks.own.folds: 201: more than the 200 members of all shadows of studies.audit; lower it",
    ),
    "an alternative that is judged by shadows": (
        {"study": {"alternatives": ["other"]}, "studies": {"other": OTHER | {"shadows": 4}}}
        | {"target": {"trainer": "own"}, "trainers": TRAINERS},
        "studies.audit.alternatives: other: has other thresholds (by shadows); give both the same, so that they",
    ),
    "attacks that need known records where there are none": (
        {"study": IN_QUESTION | {"attacks": ["gap", "free"]}, "dataset": {"membership": ["hardly"]}} | FREE,
        "studies.audit.attacks: gap: is nothing without known records, of which there are too few; a distance attack "
        "with threshold: random_inputs decides alone; leave it out",
    ),
    "no attack that does without known records": (
        {"study": IN_QUESTION | {"attacks": None}, "dataset": {"membership": ["hardly"]}},
        "studies.audit.attacks: None: none decides without known records; add one of kind distance with threshold: "
        "random_inputs, or records of which it is known whether it was trained on them",
    ),
    "members of whom nothing in question is told": (
        {"study": IN_QUESTION, "dataset": {"membership": ["mostly"]}},
        "datasets.records.membership: 20 known non-members: too few for one half to judge the other; at least 50 of",
    ),
    "outliers": ({"study": {"outliers": {}}}, "studies.audit.outliers: not for a given model; remove it"),
    "non-members": (
        {"study": {"n_nonmembers": 9}},
        "studies.audit.n_nonmembers: not for a given model; remove it",
    ),
    "searches that shadows stop": (
        {"study": {"attacks": ["gap", "boundary-stopped"]}},
        "studies.audit.attacks: boundary-stopped: queries.settled stops early by shadows' searches, which are not "
        "there for a given model; leave it out",
    ),
    "a data set that does not say": (
        {"study": {"dataset": "digits"}},
        "studies.audit.dataset: digits: does not say what the model was trained on; let it be of kind npz or csv, and "
        "set datasets.digits.membership",
    ),
    "too few members": (
        {"dataset": {"membership": ["few"]}},
        "datasets.records.membership: 10 known members: too few for one half to judge the other; at least 50 of each "
        "kind are needed; add records that it was trained on; or mark records in question by -1 and set in_question of",
    ),
    "too few others": (
        {"dataset": {"membership": ["mostly"]}},
        "datasets.records.membership: 20 known non-members: too few for one half to judge the other; at least 50 of "
        "each kind are needed; members alone do not tell what is the model's and what any model finds easy; add",
    ),
    "too few of both": (
        {"dataset": {"membership": ["hardly"]}},
        "datasets.records.membership: 20 known members and 0 known non-members: too few for one half to judge the "
        "other; at least 50 of each kind are needed; add both, or train models of its kind on your records",
    ),
    "attacks that learn, without members": (
        {"study": IN_QUESTION | {"attacks": ["gap", "rotation"]}, "dataset": {"membership": ["others"]}},
        "studies.audit.attacks: rotation: learns from records in training, of which too few are known; leave it out",
    ),
    "confidences without members": (
        {"study": IN_QUESTION | {"attacks": ["gap", "true-confidence"]}, "dataset": {"membership": ["others"]}},
        "studies.audit.attacks: true-confidence: reads more than labels, and what is compared without known members",
    ),
    "a prior without members": (
        {"study": IN_QUESTION | {"prior": 0.1}, "dataset": {"membership": ["others"]}},
        "studies.audit.prior: 0.1: without known members no probability follows from it; remove it",
    ),
    "a figure without members": (
        {
            "study": IN_QUESTION,
            "dataset": {"membership": ["others"]},
            "figures": {"f": {"kind": "bars", "study": "audit"}},
        },
        "figures.f: studies.audit has no metrics, as too few members are known; leave it out",
    ),
    "too few others for three attacks": (
        {"study": IN_QUESTION | {"evaluated": 58, "attacks": ["gap", "gaussian", "boundary"]}}
        | {"dataset": {"membership": ["others"]}},
        "studies.audit.evaluated: 58: too few for any record in question to stand out by one of 3 attacks; at least 59 "
        "are needed; raise it, or name fewer under attacks of studies.audit",
    ),
    "more inputs without members": (
        {
            "study": IN_QUESTION | {"evaluated": 50},
            "target": API | {"most": 279},
            "dataset": {"membership": ["others"]},
        },
        "targets.mine.most: 279: studies.audit may send up to 280 inputs, 140 of them for known records; raise it, or",
    ),
    "nobody in question": (
        {"study": {"in_question": 9}, "dataset": {"membership": ["all"]}},
        "studies.audit.in_question: 9: of all records of records it is known whether they were in training; mark those",
    ),
    "records in question of what is trained here": (
        {"study": {"splits": "disjoint", "model": "mlp", "n_train": [40], "in_question": 9}},
        "studies.audit.in_question: 9: only of a given model some may not be known; remove it",
    ),
    "too few that are asked": (
        {"study": {"evaluated": 49}},
        "studies.audit.evaluated: 49: too few for one half to judge the other; use at least 50",
    ),
    "more members than members": (
        {"study": {"n_train": [59]}},
        "studies.audit.n_train: 59: 60 members are known; state the size of the whole training set",
    ),
    "more folds than half of the members": (
        {"study": {"attacks": ["rotation"]}, "attacks": {"rotation": {"kind": "classifier", "reads": "m", "folds": 31}}}
        | {"queries": {"m": {"kind": "gaussian", "sigmas": [0.1], "samples": 4}}},
        "attacks.rotation.folds: 31: more than the 30 members of one half of studies.audit; lower it",
    ),
    "a population of more than is left": (
        {
            "study": {"attacks": ["gap", "true-confidence"]},
            "queries": {"confidences": {"kind": "confidences", "population": 61}},
        },
        "queries.confidences.population: 61: members and non-members leave 60 of records; lower it",
    ),
    "nothing that reads labels alone": (
        {"study": {"attacks": ["true-confidence"]}},
        "studies.audit.attacks: ['true-confidence']: none reads labels alone, which an audit judges by; add gap, or",
    ),
    "no weights": (
        {"target": {"weights": "nowhere.pt"}},
        "targets.mine.weights: nowhere.pt: no such file in {folder}; give the path of the model that is to be attacked",
    ),
    "a null in a path": ({"target": {"weights": "a\0b"}}, "targets.mine.weights: a\0b: no such file"),
    "a folder": ({"target": {"weights": "plugins"}}, "targets.mine.weights: plugins: no such file in {folder}; give"),
    "an empty path": ({"target": {"weights": ""}}, 'targets.mine.weights: "": no such file in {folder}; give the path'),
    "training of what is trained": (
        {"study": {"training": {"batch_size": 7}}},
        "studies.audit.training: not for a given model; remove it",
    ),
    "no architecture": (
        {"target": {"model": "resnet"}},
        "targets.mine.model: resnet: not defined under models; expected one of: mlp, cnn",
    ),
    "confidences of what gives none": (
        {"study": {"attacks": ["gap", "true-confidence"]}, "target": CLIENT},
        "studies.audit.attacks: true-confidence: queries.confidences needs more than labels, and a target of kind "
        "plugins.client gives these alone; leave it out",
    ),
    "rounding what is no network": (
        {"study": {"attacks": ["boundary"]}, "target": CLIENT}
        | {"queries": {"boundary": {"kind": "hopskipjump", "budget": 500, "precision": "bfloat16"}}},
        "studies.audit.attacks: boundary: queries.boundary rounds a network, and a target of kind plugins.client shows "
        "none; leave it out",
    ),
    "an option that no client takes": (
        {"target": CLIENT | {"adress": "x"}},
        "targets.mine.adress: unknown key; did you mean address?",
    ),
    "a secret in the configuration": (
        {"target": API | {"headers": {"X-Api-Key": "s3cret"}}},
        "targets.mine.headers.X-Api-Key: name an environment variable that has it, as $API_KEY",
    ),
    "a secret in another header": (
        {"target": API | {"headers": {"X-Caller": "Bearer s3cret"}}},
        "targets.mine.headers.X-Caller: name an environment variable that has it, as $API_KEY",
    ),
    "a header that nobody can send": (
        {"target": API | {"headers": {"X A:": "1", "X-B": "a\nb"}}},
        "targets.mine.headers.'X A:': no header has such a name; write letters, digits and hyphens\n"
        "targets.mine.headers.X-B: cannot be sent; write one line of ASCII, without spaces around it",
    ),
    "a password in an address": (
        {"target": API | {"url": "https://me:s3cret@example.org/"}},
        "targets.mine.url: has a name or password, which files and messages would show; send it as a header, as",
    ),
    "a secret in an address": (
        {"target": API | {"url": "https://example.org/?max_tokens=3&api_key=s3cret"}},
        "targets.mine.url: has api_key, which files and messages would show; send it as a header, as $API_KEY",
    ),
    **{
        f"no address: {url}": (
            {"target": API | {"url": url}},
            "targets.mine.url: is no address; write one as https://example.org/labels",
        )
        for url in ("http://[::1", "http:///x", "http://x:99999/")
    },
    "an address of another kind": ({"target": API | {"url": "ftp://x"}}, "targets.mine.url: 'ftp://x': not possible"),
    "more inputs than may be sent": (
        {"target": API | {"most": 60119}, "study": {"attacks": ["gap", "boundary"], "evaluated": 60}}
        | {"queries": {"boundary": {"kind": "hopskipjump", "budget": 500}}},
        "targets.mine.most: 60119: studies.audit may send up to 60,120 inputs, 59,880 of them for queries.boundary; "
        "raise it, or lower `evaluated`, or budgets and samples of query sets",
    ),
    "more inputs with those in question": (
        {"target": API | {"most": 80119}, "study": {"attacks": ["gap", "boundary"], "evaluated": 60, "in_question": 40}}
        | {"queries": {"boundary": {"kind": "hopskipjump", "budget": 500}}},
        "targets.mine.most: 80119: studies.audit may send up to 80,120 inputs, 79,840 of them for queries.boundary; ",
    ),
    "a name of two": (
        {"models": {"mine": {"kind": "mlp"}}},
        "targets.mine: is under models too, and studies name both kinds by `model`; rename one",
    ),
    "an unknown kind": (
        {"target": {"kind": "pickle"}},
        "targets.mine.kind: pickle: unknown kind; expected one of: torch, torchscript, sklearn, onnx, xgboost, "
        "lightgbm, huggingface, http, or a dotted module path",
    ),
    "membership for no class": (
        {"dataset": {"membership": ["known", "few"]}},
        "datasets.records: records.npz: expected membership for each of classes, got known, few",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_go_with_a_given_model_is_refused(case):
    changes, expected = BAD[case]
    refuse(given(**changes), expected)


def test_a_look_at_a_file_needs_no_secret_of_its_author(monkeypatch):
    monkeypatch.delenv("NOWHERE_KEY", raising=False)
    assert check(given(target=API | {"headers": {"Authorization": "$NOWHERE_KEY"}}))


@pytest.mark.parametrize("kind", ["torchscript", "sklearn"])
@pytest.mark.parametrize("trust", [None, "0" * 64])
def test_a_program_is_run_by_its_hash_alone(trust, kind):
    config = given()
    config["targets"]["mine"] = {"kind": kind, "file": "mine.ts"} | ({"trust": trust} if trust else {})
    found = hashlib.sha256(b"mine.ts").hexdigest()
    message = (
        f"targets.mine.trust: {trust or 'missing'}: to open this file is to run it, which is done only where its "
        f"SHA-256 is stated; write {found} if you know where it comes from"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        check(config)
    config["targets"]["mine"]["trust"] = found
    assert check(config).targets["mine"].module == f"lmia.targets.{kind}"
