"""Mistakes in a configuration, each with the one line that names key, value and fix."""

import copy as copying
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


POOL = {"dataset": "digits", "model": "mlp", "n_train": [200], "splits": "pool", "seeds": ["0-5"], "attacks": ["gap"]}
QUERIES_THAT_MOVE = ("copies", "rotations", "translations")


def changed(*path, value):
    config = copying.deepcopy(DEFAULT)
    node = config
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return config


BAD = {
    "bars of an unknown defense": (
        ("figures", "accuracy-mlp", "defenses"),
        ["none", "l2"],
        "figures.accuracy-mlp.defenses: l2: not defined under the defenses of digits-mlp",
    ),
    "a sweep of several defenses": (
        ("figures", "rotation", "defenses"),
        ["none"],
        "figures.rotation.defenses: unknown key; did you mean defense?",
    ),
    "unknown section": (("qeries",), {}, "qeries: unknown key; did you mean queries?"),
    "a device of no machine": (("device",), "cuda:" + "9" * 20, "device: 'cuda:9.*: .* match pattern"),
    "a number of YAML 1.1": (
        ("queries", "boundary", "budget"),
        "1_000",
        "budget: '1_000': .* a valid integer, as 1000$",
    ),
    "hours and minutes": (("save_every",), "1:5", "save_every: '1:5': .* be a valid number, as 0.001 or 1e-3$"),
    "an octal in a list": (
        ("studies", "digits-mlp", "n_train"),
        ["0100"],
        "digits-mlp.n_train: .'0100'.: .* be a valid integ",
    ),
    "unknown device": (("device",), "gpu", r"device: 'gpu': .* match pattern '\^\(auto\|cpu\|mps\|cuda"),
    "unknown option": (
        ("queries", "boundary", "budgte"),
        9,
        "queries.boundary.budgte: unknown key; did you mean budget?",
    ),
    "unknown training option": (
        ("studies", "digits-mlp", "training"),
        {"lr": 1},
        "studies.digits-mlp.training.lr: unknown",
    ),
    "unknown precision": (
        ("studies", "digits-mlp", "training"),
        {"precision": "half"},
        "studies.digits-mlp.training.precision: 'half': .* be 'float32' or 'bfloat16'",
    ),
    "negative shifts": (
        ("defenses",),
        {"none": {"kind": "none"}, "moved": {"kind": "augmentation", "pixels": -1}},
        "defenses.moved.pixels: -1: .* greater than or equal to 0",
    ),
    "private without noise": (
        ("defenses",),
        {"none": {"kind": "none"}, "private": {"kind": "dp_sgd", "epochs": 1}},
        "defenses.private.noise: None: give either noise or epsilon",
    ),
    "hardly mixed": (
        ("defenses",),
        {"none": {"kind": "none"}, "mixed": {"kind": "mixup", "alpha": 0.01}},
        "defenses.mixed.alpha: 0.01: .* greater than or equal to 0.05",
    ),
    "hardly penalised": (
        ("attacks", "gap"),
        {"kind": "logistic", "reads": "original", "inverse_penalty": 1000},
        "attacks.gap.inverse_penalty: 1000: .* less than or equal to 100",
    ),
    "private with both": (
        ("defenses",),
        {"none": {"kind": "none"}, "private": {"kind": "dp_sgd", "epochs": 1, "noise": 1, "epsilon": 1}},
        "defenses.private.noise: 1.0: give either noise or epsilon",
    ),
    "start from nowhere": (
        ("defenses",),
        {"none": {"kind": "none"}, "tuned": {"kind": "transfer", "source": "digits-mpl"}},
        "defenses.tuned.source: digits-mpl: not defined under studies; did you mean digits-mlp",
    ),
    "wrong type": (("queries", "boundary", "budget"), "many", "queries.boundary.budget: 'many': .* be a valid integer"),
    "budget 0": (("queries", "boundary", "budget"), 0, "queries.boundary.budget: 0: .* greater than or equal to 1"),
    "negative noise": (
        ("queries", "gaussian", "sigmas"),
        [0.1, -1],
        "queries.gaussian.sigmas.1: -1: .* greater than 0",
    ),
    "unknown attack kind": (
        ("attacks", "gap", "kind"),
        "gapp",
        "attacks.gap.kind: gapp: unknown kind; did you mean gap?",
    ),
    "missing query set": (
        ("attacks", "gap", "reads"),
        "orignal",
        "attacks.gap.reads: orignal: not defined under queries",
    ),
    "unreadable query set": (("attacks", "gap", "reads"), "boundary", "attacks.gap.reads: boundary: yields distances"),
    "budget beyond": (("attacks", "boundary", "budget"), 9999, "attacks.boundary.budget: 9999: .* asks only 1000"),
    "too many members": (
        ("studies", "digits-mlp", "n_train"),
        [450],
        "n_train: 450: four disjoint splits need 1800 .* has 1797; use at most 449",
    ),
    "unknown model": (("studies", "digits-mlp", "model"), "mpl", "studies.digits-mlp.model: mpl: .* did you mean mlp?"),
    "attack of a study": (
        ("studies", "digits-mlp", "attacks"),
        ["bound"],
        "studies.digits-mlp.attacks: bound: not defined",
    ),
    "overlapping seeds": (("studies", "digits-mlp", "seeds"), ["0-2", 2], "studies.digits-mlp.seeds: 2: seed 2 is in"),
    "empty seeds": (("studies", "digits-mlp", "seeds"), ["3-2"], "studies.digits-mlp.seeds: 3-2: an empty range"),
    "unknown figure study": (("figures", "roc", "study"), "x", "figures.roc.study: x: not defined under studies"),
    "missing plug-in": (("attacks", "gap", "kind"), "my.gap", "attacks.gap.kind: my.gap: no such module; put its file"),
    "plug-in without Attack": (
        ("attacks", "gap", "kind"),
        "workflow.roles",
        "attacks.gap.kind: workflow.roles: no such module",
    ),
    "not an attack": (
        ("attacks", "gap", "kind"),
        "workflow.config.result_files",
        "config.result_files: the module defines no Attack",
    ),
    "dotted path into lmia": (
        ("queries", "gaussian"),
        {"kind": "lmia.perturbations.gaussian", "sigmas": [-1]},
        "queries.gaussian.kind: lmia.perturbations.gaussian: of lmia itself, .* did you mean gaussian?",
    ),
    "gallery of nothing": (
        ("figures", "gallery", "queries"),
        [],
        "figures.gallery.queries: .*should have at least 1 item",
    ),
    "gallery of distances": (
        ("figures", "gallery", "queries"),
        ["boundary"],
        "gallery.queries: boundary: has no perturbed",
    ),
    "several sizes": (
        ("studies", "digits-cnn", "n_train"),
        [50, 100],
        "figures.distances.n_train: missing; .* 50, 100",
    ),
    "budgets beyond": (("attacks", "boundary", "budgets"), [9999], "attacks.boundary.budgets: 9999: .* asks only 1000"),
    "budget too small for a search": (
        ("queries", "copies", "budget"),
        39,
        "queries.copies.budget: 39: .* each of 5 copies needs 8 queries; use at least 40",
    ),
    "budget below the copies": (("attacks", "combined", "budget"), 4, "attacks.combined.budget: 4: .* has 5 copies"),
    "budgets below the copies": (("attacks", "combined", "budgets"), [4], "attacks.combined.budgets: 4: .* 5 copies"),
    "more folds than members": (
        ("attacks", "rotation", "folds"),
        101,
        "attacks.rotation.folds: 101: more than the shadow's 100 members that are",
    ),
    "duplicate n_train": (
        ("studies", "digits-mlp", "n_train"),
        [50, 50],
        r"studies.digits-mlp.n_train: \[50, 50\]: .* hold each value once",
    ),
    "duplicate fprs": (("metrics", "fprs"), [0.01, 0.01], "metrics.fprs: .* hold each value once"),
    "duplicate seeds": (("studies", "digits-mlp", "seeds"), [3, "3"], "studies.digits-mlp.seeds: 3: seed 3 is in"),
    "duplicate magnitudes": (("queries", "rotations", "degrees"), [2, 2.0], "queries.rotations.degrees: .* once"),
    "sweep without magnitudes": (
        ("figures", "rotation", "attacks"),
        ["gap"],
        "figures.rotation.attacks: gap: reads original, without magnitudes to sweep; name others",
    ),
    "sweep of distances": (("figures", "rotation", "attacks"), ["boundary"], "boundary: reads boundary, without magn"),
    "a title in dollars": (
        ("figures", "roc", "title"),
        "$5_$ and 6",
        r"figures.roc.title: \$5_\$ and 6: .* no TeX \(ParseSyn.*\); write a dollar as \\\$$",
    ),
    "a title in two lines": (
        ("figures", "accuracy-mlp", "title"),
        "One attack costs $5 and some more where it is ${6 or $7 for each",
        "figures.accuracy-mlp.title: One .* is no TeX",
    ),
    "histogram of all": (("figures", "distances", "attacks"), None, "figures.distances.attacks: gap, .* name one"),
    "unknown line": (
        ("figures", "rotation", "lines"),
        ["gpa"],
        "figures.rotation.lines: gpa: not defined under the attacks of digits-mlp; did you mean gap?",
    ),
    "more flips than features": (
        ("queries", "bernoulli", "flips"),
        [65],
        "queries.bernoulli.flips: 65: digits has only 64 features; lower it",
    ),
    "unknown torchvision data set": (
        ("datasets", "digits"),
        {"kind": "torchvision", "name": "KMIST"},
        "datasets.digits.name: KMIST: unknown data set; did you mean KMNIST?",
    ),
    "pickles of torchvision": (
        ("datasets", "digits"),
        {"kind": "torchvision", "name": "CIFAR100"},
        "datasets.digits.name: CIFAR100: a pickle there; use kind cifar100 instead",
    ),
    "path to nowhere": (
        ("datasets", "more"),
        {"kind": "adult", "path": "no/where"},
        "datasets.more.path: no/where: no such file or folder in /.*; mend it, or remove it to fetch",
    ),
    "path of no text": (("datasets", "more"), {"kind": "mnist", "path": 3}, "datasets.more.path: 3: .* be a valid str"),
    "hash that is none": (
        ("datasets", "more"),
        {"kind": "texas", "sha256": "abc"},
        "datasets.more.sha256: 'abc': not possible here; it should match pattern",
    ),
    "hash of what has one": (
        ("datasets", "more"),
        {"kind": "location", "sha256": "0" * 64},
        "datasets.more.sha256: unknown key; expected one of: kind, path",
    ),
    "truth for a number": (("queries", "boundary", "budget"), True, "queries.boundary.budget: True: .* true or false"),
    "truth in a list": (("queries", "gaussian", "sigmas"), [True], "queries.gaussian.sigmas: .* true or false"),
    "key of an earlier version": (
        ("queries", "copies", "copies"),
        1,
        "queries.copies.copies: is now called shift_pixels; rename it$",
    ),
    "key of an earlier version of attacks": (
        ("attacks", "combined", "decays"),
        [1.0],
        "attacks.combined.decays: is now called weight_decays; rename it$",
    ),
    "a grid without its middle": (
        ("queries", "rotations"),
        {"kind": "augmentation_grid", "shifts": [1, -1]},
        r"queries.rotations.shifts: \[1, -1\]: expected 0 among them, .*; add it$",
    ),
    "a grid of the image alone": (
        ("queries", "rotations"),
        {"kind": "augmentation_grid", "shifts": [0], "flips": False},
        r"queries.rotations.shifts: \[0\]: leaves the unmodified image alone; add a shift, set flips",
    ),
    "levels that cannot be halved": (
        ("queries", "boundary"),
        {"kind": "directions", "levels": 48},
        "queries.boundary.levels: 48: expected a power of two; use 32 or 64",
    ),
    "two directions to the same point": (
        ("queries", "boundary"),
        {"kind": "directions", "directions": ["white", "white"]},
        "queries.boundary.directions: .*white.*white.*hold each value once",
    ),
    "stopped copies": (
        ("queries", "copies", "stop_error"),
        0.1,
        "queries.copies.stop_error: 0.1: only one distance has a threshold",
    ),
    "random inputs beside copies": (
        ("queries", "copies", "random_inputs"),
        100,
        "queries.copies.random_inputs: 100: needs whole searches around the input alone; remove this or shift_pixels$",
    ),
    "random inputs beside searches that stop at once": (
        ("queries", "settled"),
        {"kind": "hopskipjump", "budget": 250, "stop_error": 0, "random_inputs": 100},
        "queries.settled.random_inputs: 100: needs whole searches around the input alone; remove this or stop_error$",
    ),
    "a threshold without random inputs": (
        ("attacks", "boundary", "threshold"),
        "random_inputs",
        "attacks.boundary.threshold: random_inputs: queries.boundary has none; set its random_inputs, as to 100, or",
    ),
    "a threshold above all distances": (
        ("attacks", "boundary", "quantile"),
        1,
        "attacks.boundary.quantile: 1: .* less than 1",
    ),
    "smaller budgets of what stops": (
        ("attacks", "boundary-stopped", "budgets"),
        [100],
        "attacks.boundary-stopped.budgets: 100: queries.settled stops for its own threshold",
    ),
    "classifier of what stops": (
        ("attacks", "boundary-stopped", "kind"),
        "classifier",
        "attacks.boundary-stopped.kind: classifier: queries.settled stops early",
    ),
    "order of what stops": (
        ("figures", "roc", "attacks"),
        ["boundary-stopped"],
        "figures.roc.attacks: boundary-stopped: reads searches that stop early",
    ),
    "curves of what stops but of accuracy": (
        ("figures", "queries", "metric"),
        "auc",
        "figures.queries.metric: auc: boundary-stopped reads searches that stop early, .*; leave it out, or show acc",
    ),
    "a metric of no table": (
        ("figures", "queries", "metric"),
        "acuracy",
        "queries.metric: acuracy: expected one of: accuracy, auc, tpr_at_0.01_fpr, tpr_at_0.001_fpr; choose one",
    ),
    "a rate that is not measured": (
        ("figures", "queries", "metric"),
        "tpr_at_0.02_fpr",
        "figures.queries.metric: tpr_at_0.02_fpr: expected one of: .*, or add the rate F of tpr_at_F_fpr to metrics",
    ),
    "shadows of no pool": (
        ("figures", "roc"),
        {"kind": "shadows", "study": "digits-mlp", "attacks": ["boundary"]},
        "figures.roc.study: digits-mlp: has a fixed number of shadows; choose one with splits: pool",
    ),
    "canaries of no pool": (
        ("studies", "digits-mlp", "canaries"),
        10,
        "studies.digits-mlp.canaries: 10: only a pool has some; remove it, or set splits: pool",
    ),
    "a kind of canaries of no pool": (
        ("studies", "digits-mlp", "canary_kind"),
        "out_of_distribution",
        "studies.digits-mlp.canary_kind: out_of_distribution: only a pool has canaries; remove it, or set splits: pool",
    ),
    "a kind of no canaries": (
        ("studies", "digits-mlp"),
        POOL | {"canary_kind": "out_of_distribution"},
        "digits-mlp.canary_kind: out_of_distribution: there are no canaries; remove it, or set canaries: 40",
    ),
    "points that are labelled for no attack": (
        ("studies", "digits-mlp"),
        POOL | {"relabelled": 40},
        "digits-mlp.relabelled: 40: no attack reads models that are trained on a target's labels; remove it, or add",
    ),
    "bounds of no pool": (
        ("studies", "digits-mlp", "epsilon"),
        {},
        "studies.digits-mlp.epsilon: is bounded by the coins of a pool; remove it, or set splits: pool",
    ),
    "a figure of bounds that are not computed": (
        ("figures", "roc"),
        {"kind": "epsilon", "study": "digits-mlp", "attacks": ["boundary"]},
        "figures.roc.study: digits-mlp: bounds no epsilon; give it epsilon:",
    ),
    "no studies": (("studies",), {}, "studies: there is none; say there what is to be run, or name models"),
    "more folds than are asked about": (
        ("studies", "digits-cnn"),
        {"dataset": "digits", "model": "cnn", "n_train": [9], "seeds": [0], "evaluated": 2, "attacks": ["rotation"]},
        "attacks.rotation.folds: 3: more than the shadow's 2 members",
    ),
    "joined sizes of several kinds": (
        ("figures", "roc", "studies"),
        ["digits-cnn"],
        "figures.roc.studies: unknown key; did you mean study?",
    ),
    "sizes of one size": (
        ("figures", "roc"),
        {"kind": "sizes", "study": "digits-mlp", "n_train": 200},
        "figures.roc.n_train: unknown key; expected one of: kind, study, title, attacks, studies, defense",
    ),
    "sizes of different models": (
        ("figures", "roc"),
        {"kind": "sizes", "study": "digits-mlp", "studies": ["digits-cnn"]},
        "figures.roc.studies: digits-cnn: another data set or model than digits-mlp; one curve is of one",
    ),
    "sizes twice": (
        ("figures", "roc"),
        {"kind": "sizes", "study": "digits-mlp", "studies": ["digits-mlp"]},
        "figures.roc.studies: digits-mlp: n_train 200 is in another of these studies too; name it once",
    ),
    "mask over nothing": (
        ("defenses",),
        {"none": {"kind": "none"}, "guard": {"kind": "memguard", "over": "nine"}},
        "defenses.guard.over: nine: not defined under defenses; did you mean none?",
    ),
    "mask over a mask": (
        ("defenses",),
        {"none": {"kind": "none"}, "guard": {"kind": "memguard"}, "top": {"kind": "top_k", "over": "guard"}},
        "defenses.top.over: guard: only masks answers too",
    ),
    "mask over itself": (
        ("defenses",),
        {"none": {"kind": "none"}, "guard": {"kind": "memguard", "over": "guard"}},
        "defenses.guard.over: guard: only masks answers too",
    ),
    "too many with fewer non-members": (
        ("studies", "digits-mlp"),
        {"dataset": "digits", "model": "mlp", "seeds": [0], "n_train": [600], "n_nonmembers": 300},
        "digits-mlp.n_train: 600: four disjoint splits need 1800 examples, digits has 1797; use at most 598",
    ),
    "halves that are too large": (
        ("studies", "digits-mlp"),
        {"dataset": "digits", "model": "mlp", "seeds": [0], "n_train": [899], "splits": "halves"},
        "digits-mlp.n_train: 899: two disjoint splits need 1798 examples, digits has 1797; use at most 898",
    ),
    "halves for two shadows": (
        ("studies", "digits-mlp"),
        {"dataset": "digits", "model": "mlp", "seeds": [0], "n_train": [200], "splits": "halves", "shadows": 2},
        "digits-mlp.shadows: 2: halves leave data for one shadow; set it to 1, or splits: disjoint",
    ),
    "halves with other non-members": (
        ("studies", "digits-mlp"),
        {"dataset": "digits", "model": "mlp", "seeds": [0], "n_train": [200], "splits": "halves", "n_nonmembers": 9},
        "digits-mlp.n_nonmembers: 9: halves have as many as members; remove it",
    ),
    "a pool that is too large": (
        ("studies", "digits-mlp"),
        POOL | {"n_train": [899]},
        "digits-mlp.n_train: 899: the two models of a pair need 1798 examples, digits has 1797; use at most 898",
    ),
    "a model without its partner": (
        ("studies", "digits-mlp"),
        POOL | {"seeds": ["0-5", 8]},
        "digits-mlp.seeds: 8: is a model without its partner 9; pools are of pairs: add that",
    ),
    "a pool of two pairs": (
        ("studies", "digits-mlp"),
        POOL | {"seeds": ["0-3"]},
        "digits-mlp.seeds: 4 models: too few to be each other's shadows; use at least 6",
    ),
    "shadows of a pool": (
        ("studies", "digits-mlp"),
        POOL | {"shadows": 2},
        "digits-mlp.shadows: 2: a pool has models of one kind, each a target and a shadow; remove it",
    ),
    "non-members of a pool": (
        ("studies", "digits-mlp"),
        POOL | {"n_nonmembers": 200},
        "digits-mlp.n_nonmembers: a pool has models of one kind, each a target and a shadow; remove it",
    ),
    "outliers of a pool": (
        ("studies", "digits-mlp"),
        POOL | {"outliers": {}},
        "digits-mlp.outliers: a pool has models of one kind, each a target and a shadow; remove it",
    ),
    "canaries that leave nothing else": (
        ("studies", "digits-mlp"),
        POOL | {"canaries": 400},
        "digits-mlp.canaries: 400: leave 0 ordinary examples to be asked about; lower it",
    ),
    "a number of no pool": (
        ("studies", "digits-mlp", "pool"),
        1,
        "digits-mlp.pool: 1: only models of splits: pool have one; remove it, or set splits: pool",
    ),
    "searches of a pool that stop": (
        ("studies", "digits-mlp"),
        POOL | {"attacks": ["boundary-stopped"]},
        "digits-mlp.attacks: boundary-stopped: queries.settled stops early by shadows whose searches do not, and a "
        "pool has none; leave it out",
    ),
    "an odd number of shadows": (
        ("attacks", "gap", "shadows"),
        [3],
        "attacks.gap.shadows.*: 3: .*multiple of 2",
    ),
    "a budget that cuts magnitudes off": (
        ("attacks", "ratio"),
        {"kind": "lira", "reads": "gaussian", "budgets": [50]},
        "attacks.ratio.budgets: .50.: queries.gaussian asks one magnitude after the other, and a lira attack reads all "
        "together; give it a query set of one magnitude",
    ),
    "a model that one has": (
        ("models", "mlp", "weights"),
        "mine.pt",
        "models.mlp.weights: unknown key; a model that you have is an entry under targets, which one under audits "
        r"names \(docs/how-to/audit.md\)",
    ),
    "who its members are": (
        ("studies", "digits-mlp", "members"),
        "mine.npz",
        "studies.digits-mlp.members: unknown key; a model that you have is an entry under targets",
    ),
    "what is to be audited": (
        ("studies", "digits-mlp", "target"),
        "mine.pt",
        "studies.digits-mlp.target: unknown key; a model that you have is an entry under targets",
    ),
    "nobody evaluated": (
        ("studies", "digits-mlp", "evaluated"),
        0,
        "digits-mlp.evaluated: 0: .* greater than or equal",
    ),
    "arrays that are not there": (
        ("datasets", "more"),
        {"kind": "npz", "path": "nowhere.npz"},
        "datasets.more.path: nowhere.npz: No such file or directory in /.*; give the path of a .npz file",
    ),
    "arrays of another kind": (
        ("datasets", "more"),
        {"kind": "npz", "path": "README.md"},
        "datasets.more: README.md: expected a .npz file",
    ),
    "steps between whole degrees": (
        ("queries", "rotations"),
        {"kind": "rotation", "degrees": [1.5], "angles": "all"},
        r"queries.rotations.degrees: \[1.5\]: angles: all goes in steps of 1; use whole degrees",
    ),
    "sigmas without flips": (
        ("queries", "more"),
        {"kind": "mixed", "continuous": 1, "sigmas": [0.1, 0.2], "flips": [1], "samples": 1},
        r"queries.more.flips: \[1.0\]: expected one for each of \[0.1, 0.2\]; give as many",
    ),
    "tables for images": (
        ("queries", "bernoulli"),
        {"kind": "mixed", "continuous": 1, "sigmas": [0.1], "flips": [1], "samples": 100},
        r"queries.bernoulli.continuous: 1: digits has inputs of shape \[1, 8, 8\]; it needs a table",
    ),
    "depth of no residual network": (
        ("models", "more"),
        {"kind": "wide_resnet", "depth": 12},
        "models.more.depth: 12: three groups of equal blocks need 6 k",
    ),
    "unknown initialization": (
        ("models", "mlp", "initialization"),
        "he",
        "mlp.initialization: 'he': .* 'torch' or 'gl",
    ),
    "a text for a truth": (
        ("datasets", "more"),
        {"kind": "torchvision", "name": "MNIST", "download": "off"},
        "datasets.more.download: 'off': not possible here; it should be true or false$",
    ),
    "studies of sizes": (
        ("figures", "roc"),
        {"kind": "sizes", "study": "digits-mlp", "studies": ["x"]},
        "figures.roc.studies: x: not defined under studies",
    ),
}
