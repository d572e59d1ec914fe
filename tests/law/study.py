"""A configuration with every kind of everything that the schema has, in studies that can be planned."""

import copy
import hashlib
import io
import shutil
import warnings

import joblib
import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from lmia.models import mlp

DIGEST = "0" * 64


def _given_model():
    """(a network for four features and three classes, its weights as a file, and itself as one of TorchScript)."""
    with torch.random.fork_rng([]), warnings.catch_warnings(action="ignore"):  # torch.jit is deprecated
        torch.manual_seed(27)
        network = mlp.build((4,), 3, hidden=[8]).eval()
        for value in network.parameters():
            value.data *= 4  # with seed 27, it gives all labels
        weights, program = io.BytesIO(), io.BytesIO()
        torch.save(network.state_dict(), weights)
        torch.jit.save(torch.jit.trace(network, torch.rand(2, 4)), program)
    return network, weights.getvalue(), program.getvalue()


def _given_tree():
    """(a pipeline of scikit-learn's, and itself as joblib writes it): it looks at two columns of `_residents`."""
    numbers, columns = np.random.default_rng(5), ["town", "rooms"]
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), columns[:1]), ("passthrough", columns[1:])
    )
    pipeline = make_pipeline(encode, DecisionTreeClassifier(random_state=0))
    seen = pd.DataFrame({"town": numbers.choice(["Ayr", "Bath"], 60), "rooms": numbers.integers(1, 9, 60)})
    file = io.BytesIO()
    joblib.dump(pipeline.fit(seen, numbers.choice(["high", "low"], 60)), file)
    return pipeline, file.getvalue()


def _residents():
    """A table whose labels are what the tree says, so that it is right; "tax" has them, too, but for a few."""
    numbers = np.random.default_rng(6)
    frame = pd.DataFrame({"town": numbers.choice(["Ayr", "Bath"], 200), "rooms": numbers.integers(1, 9, 200)})
    frame["street"], frame["age"] = numbers.choice(["A", "B", "C"], 200), numbers.random(200).round(2)
    frame["rent"] = TREE.predict(frame[["town", "rooms"]])
    frame["tax"] = np.where(np.arange(200) < 6, numbers.permutation(frame["rent"]), frame["rent"])
    frame["about"] = [" ".join(numbers.choice(["warm", "old", "near", "the sea"], 3)) for _ in range(200)]
    frame["advert"] = frame["about"][::-1].to_numpy()
    frame["name"], frame["number"] = [f"name {n}" for n in range(200)], range(200)
    for name in ("known", "said"):
        frame[name] = numbers.permutation(np.repeat([1, 0, -1], [70, 80, 50]))
    return frame


GIVEN, WEIGHTS, PROGRAM = _given_model()
TREE, PICKLED = _given_tree()
EVERY_KIND = {
    "base": "none",
    "datasets": {
        "digits": {"kind": "digits", "pixel_noise": 0.3, "seed": 0},
        "fashion": {"kind": "torchvision", "name": "FashionMNIST", "root": "data", "download": False},
        "kuzushiji": {"kind": "torchvision", "name": "KMNIST", "root": "data", "download": False},
        "mnist": {"kind": "mnist"},
        "cifar10": {"kind": "cifar10"},
        "cifar100": {"kind": "cifar100"},
        "texas": {"kind": "texas", "sha256": DIGEST},
        "location": {"kind": "location"},
        "adult": {"kind": "adult", "scale": "standard"},
        "purchase": {"kind": "purchase", "sha256": DIGEST},
        "mine": {"kind": "npz", "path": "mine.npz", "inputs": ["inputs", "more"], "classes": ["classes", "others"]},
        "plain": {"kind": "npz", "path": "mine.npz"},
        "records": {"kind": "npz", "path": "records.npz", "membership": ["known"]},
        "others": {"kind": "npz", "path": "records.npz", "membership": ["asked"]},
        "unknown": {"kind": "npz", "path": "records.npz", "membership": ["nobody"]},
        "residents": {
            "kind": "csv",
            "path": "residents.csv",
            "label": "rent",
            "membership": "known",
            "id": "name",
            "groups": ["street"],
            "leave_out": ["tax"],
            "categories": ["rooms"],
            "texts": ["about"],
        },
    },
    "models": {
        "mlp": {"kind": "mlp", "hidden": [8], "initialization": "torch"},
        "dense": {"kind": "mlp", "hidden": [8]},
        "cnn": {"kind": "cnn", "channels": [4], "convolutions": 1, "dense": 8, "initialization": "torch"},
        "wrn": {"kind": "wide_resnet", "norm": "group", "depth": 10, "width": 1},
        "batched": {"kind": "wide_resnet", "norm": "batch", "depth": 10, "width": 1},
        "weighed": {"kind": "mlp", "hidden": [8]},
        "glorot": {"kind": "mlp", "hidden": [8], "initialization": "glorot"},
    },
    "targets": {
        "given": {"kind": "torch", "model": "weighed", "weights": "given.pt"},
        "remote": {
            "kind": "http",
            "url": "http://127.0.0.1:9/labels",
            "revision": "1",
            "headers": {"Accept": "application/json"},
            "send": "inputs",
            "receive": "labels",
            "batch": 50,
            "per_second": 100.0,
            "most": 100000,
            "price": 0.001,
            "currency": "EUR",
            "spend": 100.0,
            "timeout": 10.0,
            "patience": 60.0,
        },
        "program": {"kind": "torchscript", "file": "given.ts", "trust": hashlib.sha256(PROGRAM).hexdigest()},
        "tree": {"kind": "sklearn", "file": "tree.joblib", "trust": hashlib.sha256(PICKLED).hexdigest()},
        "pruned": {
            "kind": "sklearn",
            "file": "tree.joblib",
            "trust": hashlib.sha256(PICKLED).hexdigest(),
            "types": [],
            "settings": {"decisiontreeclassifier__max_depth": 5},
        },
        "graph": {"kind": "onnx", "file": "given.onnx"},
        "boosted": {"kind": "xgboost", "file": "given.ubj"},
        "light": {"kind": "lightgbm", "file": "given.txt"},
        "folder": {"kind": "huggingface", "folder": "given"},
    },
    "defenses": {
        "none": {"kind": "none"},
        "guard": {"kind": "memguard", "margin": 0.01},
        "guard-l2": {"kind": "memguard", "over": "l2"},
        "top": {"kind": "top_k", "k": 2},
        "round": {"kind": "rounding", "decimals": 2},
        "l1": {"kind": "l1", "strength": 0.1, "layers": "dense"},
        "l2": {"kind": "l2", "strength": 0.1, "layers": "dense"},
        "drop": {"kind": "dropout", "rate": 0.2},
        "decay": {"kind": "weight_decay", "strength": 0.1},
        "early": {"kind": "early_stopping", "epochs": 5},
        "smooth": {"kind": "label_smoothing", "amount": 0.1},
        "hamp": {"kind": "hamp", "entropy": 0.8, "strength": 0.01, "masks": True},
        "voted": {"kind": "ldl", "sigma": 0.1, "copies": 5},
        "mixup": {"kind": "mixup", "alpha": 0.5},
        "moved": {"kind": "augmentation", "pixels": 1, "views": "all", "flips": False, "cutout": 0},
        "game": {
            "kind": "adversarial_regularization",
            "strength": 1.0,
            "epochs": 5,
            "steps": 1,
            "attack_learning_rate": 0.001,
        },
        "tuned": {"kind": "transfer", "source": "pictures", "tune": "last"},
        "private": {
            "kind": "dp_sgd",
            "epochs": 2,
            "clip": 1.0,
            "noise": 2.0,
            "epsilon": None,
            "delta": 0.01,
            "learning_rate": 0.001,
            "batch_size": 10,
            "views": 1,
            "pixels": 1,
            "flips": False,
            "average": 0.0,
            "source": "pictures",
            "tune": "all",
        },
        "budgeted": {"kind": "dp_sgd", "epochs": 2, "epsilon": 3.0},
    },
    "studies": {
        "small": {
            "dataset": "digits",
            "n_train": [40, 60],
            "n_nonmembers": 50,
            "splits": "disjoint",
            "evaluated": 30,
            "model": "mlp",
            "defenses": ["none", "guard", "guard-l2", "l2"],
            "seeds": ["0-1"],
            "shadows": 2,
            "training": {
                "optimizer": "adam",
                "learning_rate": 0.001,
                "weight_decay": 0.0,
                "batch_size": 20,
                "min_delta": 0.005,
                "patience": 5,
                "max_epochs": 50,
                "precision": "float32",
            },
            "outliers": {"fraction": 0.1, "neighbours": 3},
            "attacks": [
                "gap",
                "rotation",
                "flips",
                "boundary",
                "settled",
                "max-confidence",
                "true-confidence",
                "adaptive",
            ],
        },
        "again": {
            "dataset": "digits",
            "n_train": [40, 60],
            "model": "mlp",
            "defenses": ["l2", "guard-l2"],
            "seeds": [3],
            "outliers": {"fraction": 0.1, "neighbours": 3},
            "attacks": ["gap", "rotation", "boundary"],
        },
        "warmed": {
            "dataset": "digits",
            "n_train": [40],
            "model": "mlp",
            "seeds": ["0-1"],
            "shadows": 3,
            "attacks": ["warm", "beside"],
        },
        "twin": {"dataset": "digits", "n_train": [40], "model": "mlp", "seeds": ["0-1"], "attacks": ["gap"]},
        "moving": {
            "dataset": "digits",
            "n_train": [40],
            "model": "cnn",
            "defenses": ["none", "moved"],
            "seeds": [0],
            "splits": "halves",
            "attacks": [
                "gap",
                "rotation",
                "shift",
                "augmented",
                "grid",
                "noise",
                "flips",
                "combined",
                "published",
                "shadow-free",
                "directions",
                "white-box",
            ],
        },
        "pool": {
            "dataset": "digits",
            "n_train": [40],
            "splits": "pool",
            "pool": 1,
            "canaries": 6,
            "relabelled": 50,
            "evaluated": 30,
            "model": "mlp",
            "defenses": ["none", "guard"],
            "seeds": ["0-3", "4-5"],
            "attacks": [
                "gap",
                "noise",
                "ratio",
                "above",
                "regression",
                "share",
                "surer",
                "rank",
                "one-shot",
                "decided",
                "once",
                "by-transfer",
                "deviating",
            ],
        },
        "bounded": {
            "dataset": "digits",
            "n_train": [40],
            "splits": "pool",
            "pool": 2,
            "epsilon": {"delta": 0.0001, "level": 0.9},
            "model": "mlp",
            "seeds": ["0-5"],
            "attacks": ["gap", "rotation"],
        },
        "other-pool": {
            "dataset": "digits",
            "n_train": [40],
            "splits": "pool",
            "model": "mlp",
            "seeds": ["6-11"],
            "attacks": ["gap", "ratio", "rotation", "boundary", "max-confidence", "true-confidence", "adaptive"],
        },
        "protected": {
            "dataset": "digits",
            "n_train": [50],
            "model": "mlp",
            "defenses": [
                "none",
                "l1",
                "l2",
                "drop",
                "decay",
                "early",
                "smooth",
                "hamp",
                "voted",
                "mixup",
                "game",
                "budgeted",
            ],
            "seeds": [0],
            "attacks": ["gap"],
        },
        "pictures": {"dataset": "fashion", "n_train": [50], "model": "wrn", "seeds": [0], "attacks": ["gap"]},
        "garments": {"dataset": "kuzushiji", "n_train": [60], "model": "wrn", "seeds": [0], "attacks": ["gap"]},
        "letters": {
            "dataset": "mnist",
            "n_train": [50],
            "model": "wrn",
            "defenses": ["none", "tuned", "private"],
            "seeds": [0],
            "attacks": ["gap"],
        },
        "photos": {"dataset": "cifar10", "n_train": [50], "model": "batched", "seeds": ["0-1", 2], "attacks": ["gap"]},
        "more-photos": {"dataset": "cifar100", "n_train": [50], "model": "dense", "seeds": [0], "attacks": ["gap"]},
        "hospitals": {"dataset": "texas", "n_train": [50], "model": "mlp", "seeds": [0], "attacks": ["gap"]},
        "places": {"dataset": "location", "n_train": [50], "model": "mlp", "seeds": [0], "attacks": ["gap"]},
        "people": {"dataset": "adult", "n_train": [50], "model": "mlp", "seeds": [0], "attacks": ["gap", "mixed"]},
        "shopping": {
            "dataset": "purchase",
            "n_train": [50],
            "model": "mlp",
            "defenses": ["none", "top", "round"],
            "seeds": [0],
            "attacks": ["gap", "max-confidence"],
        },
        "audit": {
            "dataset": "records",
            "n_train": [100],
            "splits": "given",
            "evaluated": 60,
            "in_question": 20,
            "model": "given",
            "seeds": [0],
            "attacks": ["gap", "flips", "boundary", "true-confidence"],
        },
        "audit-others": {
            "dataset": "others",
            "n_train": [100],
            "splits": "given",
            "in_question": 30,
            "model": "given",
            "seeds": [0],
            "attacks": ["gap", "flips", "boundary"],
        },
        "audit-remote": {
            "dataset": "records",
            "n_train": [100],
            "splits": "given",
            "model": "remote",
            "seeds": [0],
            "attacks": ["gap", "boundary"],
        },
        "audit-tree": {
            "dataset": "residents",
            "n_train": [100],
            "splits": "given",
            "model": "tree",
            "seeds": [0],
            "prior": 0.1,
            "alternatives": ["audit-pruned"],
            "in_question": 30,
            "attacks": ["gap", "other-rows", "other-words", "harder"],
        },
        "audit-pruned": {
            "dataset": "residents",
            "n_train": [70],
            "splits": "given",
            "model": "pruned",
            "seeds": [0],
            "attacks": ["gap", "other-rows", "other-words", "harder"],
        },
        "audit-nobody": {
            "dataset": "unknown",
            "n_train": [100],
            "splits": "given",
            "in_question": 20,
            "model": "given",
            "seeds": [0],
            "attacks": ["alone"],
        },
        **{
            f"audit-{name}": {
                "dataset": "records",
                "n_train": [100],
                "splits": "given",
                "model": name,
                "seeds": [0],
                "attacks": ["gap"],
            }
            for name in ("graph", "boosted", "folder")
        },
        "plain": {"dataset": "plain", "n_train": [10], "model": "mlp", "seeds": [0], "attacks": ["gap"]},
        "own": {"dataset": "mine", "n_train": [10], "model": "mlp", "seeds": [0], "attacks": ["gap", "mixed-own"]},
    },
    "audits": {
        "audit-program": {"target": "program", "dataset": "records", "attacks": ["gap", "boundary"]},
        "audit-again": {"target": "tree", "dataset": "residents", "shadows": 4, "attacks": ["gap"]},
        "audit-light": {"target": "light", "dataset": "records", "n_train": 100, "seed": 0, "attacks": ["gap"]},
    },
    "queries": {
        "original": {"kind": "original"},
        "original-again": {"kind": "original"},
        "rotations": {
            "kind": "rotation",
            "degrees": [5, 10],
            "angles": "ends",
            "interpolation": "bilinear",
            "border": "repeat",
        },
        "shifts": {"kind": "translation", "pixels": [1, 2]},
        "augmented": {"kind": "augmented", "pixels": [1], "samples": 5, "flips": True, "cutout": 0},
        "grid": {"kind": "augmentation_grid", "flips": True, "shifts": [0, -1, 1], "border": "black"},
        "gaussian": {"kind": "gaussian", "sigmas": [0.1, 0.2], "samples": 10, "precision": "float32"},
        "bernoulli": {"kind": "bernoulli", "flips": [1, 2], "samples": 10},
        "mixed": {"kind": "mixed", "continuous": 6, "sigmas": [0.1], "flips": [1], "samples": 10},
        "peers": {"kind": "references", "models": 2},
        "more-peers": {"kind": "references", "models": 3},
        "other-rows": {"kind": "table", "changes": [1, 2], "samples": 10, "move": 0.25},
        "other-words": {"kind": "words", "shares": [0.2, 0.4], "samples": 10, "replace": 0.5},
        "mixed-own": {"kind": "mixed", "continuous": 2, "sigmas": [0.1], "flips": [1], "samples": 10},
        # Tiny networks answer otherwise in bfloat16; that is not to be refused here.
        "boundary": {"kind": "hopskipjump", "budget": 150, "init_tries": 50, "most_disagreement": 1.0},
        "settled": {"kind": "hopskipjump", "budget": 150, "stop_error": 0.05},
        "published": {"kind": "hopskipjump", "budget": 150, "schedule": "published", "initial_probes": 10},
        "copies": {"kind": "hopskipjump", "budget": 150, "shift_pixels": 1},
        "warm": {"kind": "hopskipjump", "budget": 60, "schedule": "warm", "references": 2},
        "warm-again": {"kind": "hopskipjump", "budget": 60, "schedule": "warm"},
        "random": {"kind": "hopskipjump", "budget": 150, "random_inputs": 8},
        "directions": {"kind": "directions", "directions": ["white", "random"], "levels": 16, "method": "bisection"},
        "largest": {"kind": "directions", "directions": ["largest"], "levels": 16, "relabelled": 2},
        "larger": {"kind": "directions", "directions": ["largest"], "levels": 16, "relabelled": 3},
        "losses": {"kind": "relabelled"},
        "losses-again": {"kind": "relabelled"},
        "transferred": {"kind": "oslo", "thresholds": [0.5, 0.1], "levels": 4, "sources": 2, "validators": 1},
        "crossed": {"kind": "yoqo", "online": True, "steps": 5},
        "confidences": {"kind": "confidences", "population": 20},
        "confidences-again": {"kind": "confidences"},
        "peopled": {"kind": "confidences", "population": 30},
        "gradients": {"kind": "white_box", "steps": 30},
    },
    "attacks": {
        "gap": {"kind": "gap", "reads": "original"},
        "rotation": {
            "kind": "classifier",
            "reads": "rotations",
            "hidden": [4],
            "weight_decays": [1.0, 10.0],
            "folds": 3,
            "seed": 0,
        },
        "shift": {"kind": "vote", "reads": "shifts"},
        "augmented": {"kind": "vote", "reads": "augmented"},
        "grid": {"kind": "vote", "reads": "grid"},
        "noise": {"kind": "vote", "reads": "gaussian", "budget": 9, "budgets": [3, 5]},
        "flips": {"kind": "vote", "reads": "bernoulli"},
        "mixed": {"kind": "vote", "reads": "mixed"},
        "mixed-own": {"kind": "vote", "reads": "mixed-own"},
        "other-rows": {"kind": "vote", "reads": "other-rows"},
        "other-words": {"kind": "vote", "reads": "other-words"},
        "harder": {"kind": "difficulty", "reads": "peers"},
        "boundary": {"kind": "distance", "reads": "boundary", "budgets": [60]},
        "settled": {"kind": "distance", "reads": "settled"},
        "published": {"kind": "distance", "reads": "published"},
        "combined": {"kind": "classifier", "reads": "copies"},
        "warm": {"kind": "distance", "reads": "warm"},
        "beside": {"kind": "calibrated_distance", "reads": "warm", "budgets": [30]},
        "shadow-free": {"kind": "distance", "reads": "random", "threshold": "random_inputs", "quantile": 0.5},
        "alone": {"kind": "distance", "reads": "random", "threshold": "random_inputs"},
        "ratio": {
            "kind": "lira",
            "reads": "boundary",
            "online": True,
            "variance": "shrunk",
            "budgets": [60],
            "shadows": [2],
        },
        "above": {"kind": "difference", "reads": "augmented", "between": False, "shadows": [2]},
        "share": {"kind": "rmia", "reads": "confidences", "online": False, "a": 0.3, "gamma": 1.0},
        "surer": {"kind": "attack_p", "reads": "confidences"},
        "by-transfer": {"kind": "transfer", "reads": "losses"},
        "deviating": {"kind": "dhattack", "reads": "largest", "variance": "shrunk", "published": False},
        "once": {"kind": "kept", "reads": "crossed"},
        "decided": {"kind": "kept", "reads": "transferred"},
        "one-shot": {"kind": "vote", "reads": "transferred", "with_input": False},
        "rank": {"kind": "attack_r", "reads": "confidences"},
        "regression": {"kind": "logistic", "reads": "augmented", "inverse_penalty": 1.0},
        "directions": {"kind": "classifier", "reads": "directions"},
        "max-confidence": {"kind": "max_confidence", "reads": "confidences"},
        "true-confidence": {"kind": "true_confidence", "reads": "confidences"},
        "adaptive": {"kind": "adaptive_confidence", "reads": "confidences"},
        "white-box": {"kind": "distance", "reads": "gradients"},
    },
    "metrics": {"fprs": [0.1, 0.01], "resamples": 100},
    "figures": {
        "accuracy": {"kind": "bars", "study": "small", "title": "One", "attacks": ["gap"], "n_train": 40},
        "of-l2": {"kind": "bars", "study": "small", "defenses": ["none", "l2"], "n_train": 40},
        "sweep": {
            "kind": "sweep",
            "study": "small",
            "attacks": ["rotation"],
            "lines": ["gap"],
            "n_train": 40,
            "defense": "l2",
        },
        "queries": {
            "kind": "queries",
            "study": "small",
            "attacks": ["boundary"],
            "n_train": 40,
            "defense": "l2",
            "metric": "tpr_at_0.1_fpr",
        },
        "sizes": {"kind": "sizes", "study": "small", "attacks": ["gap"], "defense": "none"},
        "roc": {"kind": "roc", "study": "small", "attacks": ["boundary"], "n_train": 40, "defense": "l2"},
        "distances": {"kind": "histogram", "study": "small", "attacks": ["boundary"], "n_train": 40, "defense": "l2"},
        "gallery": {"kind": "gallery", "study": "moving", "queries": ["rotations", "gaussian"], "examples": 2},
        "strengths": {
            "kind": "strengths",
            "study": "small",
            "family": "l2",
            "attacks": ["boundary"],
            "n_train": 40,
            "axis": "lambda",
            "settings": [""],
        },
        "of-dropout": {"kind": "strengths", "study": "protected", "family": "dropout"},
        "without-none": {"kind": "strengths", "study": "again", "family": "l2", "n_train": 40, "scale": "linear"},
        "shadows": {
            "kind": "shadows",
            "study": "pool",
            "attacks": ["ratio"],
            "lines": ["gap"],
            "defense": "none",
            "metric": "tpr_at_0.1_fpr",
        },
        "roc-pool": {"kind": "roc", "study": "pool", "attacks": ["ratio"], "defense": "none"},
        "tradeoff": {"kind": "tradeoff", "study": "small", "attacks": ["gap"], "n_train": 40, "x": "gap"},
        "epsilon": {"kind": "epsilon", "study": "bounded", "attacks": ["gap"], "title": "E"},
        "outliers": {"kind": "outliers", "study": "small", "attacks": ["gap"], "n_train": 40},
    },
    "exhibits": {
        "table_9": {
            "title": "Table 9",
            "paper": {
                "moving": {
                    "n_train": 50,
                    "test_accuracy": 60.0,
                    "accuracy": {"gap": 70.0},
                    "variants": {"noise": 71.0},
                    "under": {"moved": {"gap": 60.0}},
                    "queries": {"noise": 100},
                },
                "protected": {"accuracy": {"gap": 70.0}},
            },
            "claims": [
                {
                    "says": "Noise sees more",
                    "study": "moving",
                    "attacks": ["noise"],
                    "against": ["gap"],
                    "metric": ["accuracy", "auc"],
                    "at_least": 0.5,
                },
                {
                    "says": "L2 helps",
                    "study": "protected",
                    "attacks": ["gap"],
                    "defense": "none",
                    "against_defense": "l2",
                    "within": 5.0,
                },
                {
                    "says": "More is better",
                    "study": "small",
                    "n_train": [40],
                    "attacks": ["boundary"],
                    "against": ["gap"],
                    "between": [-20.0, 20.0],
                },
                {"says": "And less is worse", "study": "small", "attacks": ["gap"], "against": ["boundary"]},
            ],
            "figures": ["sweep"],
        }
    },
}

# Other values for keys whose present one does not lead to any that is valid here.
HINTS = {
    "Shadows.metric": ["auc"],
    "Shadows.n_train": [40],
    "EpsilonBounds.n_train": [40],
    "Shadows.attacks": [["above"]],
    "Shadows.study": ["other-pool"],
    "Config.device": ["cpu"],
    "Torchvision.name": ["KMNIST"],
    "Published.path": ["copies"],
    "Adult.path": ["copies"],
    "Unpublished.path": ["copies"],
    "Npz.path": ["copies/mine.npz"],
    "Npz.inputs": [["more", "inputs"]],
    "Npz.classes": [["others", "classes"]],
    "Npz.membership": [["said"]],
    "TorchTarget.weights": ["copies/given.pt"],
    "TorchTarget.model": ["glorot"],
    "TorchScriptTarget.file": ["copies/given.ts"],
    "SklearnTarget.file": ["copies/tree.joblib"],
    "SklearnTarget.settings": [{"decisiontreeclassifier__max_depth": 4}],
    "OnnxTarget.file": ["copies/given.onnx"],
    "XgboostTarget.file": ["copies/given.ubj"],
    "LightgbmTarget.file": ["copies/given.txt"],
    "Difficulty.reads": ["more-peers"],
    "Gap.reads": ["original-again"],
    "CalibratedDistance.reads": ["warm-again"],
    "TransferAttack.reads": ["losses-again"],
    "DHAttack.reads": ["larger"],
    "Csv.path": ["copies/residents.csv"],
    "Csv.label": ["tax"],
    "Csv.membership": ["said"],
    "Csv.id": ["number"],
    "Csv.groups": [["town"]],
    "Csv.leave_out": [["tax", "age"]],
    "Csv.categories": [["street"]],
    "Csv.texts": [["advert"]],
    "HuggingfaceTarget.folder": ["copies/given"],
    "HttpTarget.url": ["https://127.0.0.1:9/labels"],
    "HttpTarget.headers": [{"Accept": "text/plain"}],
    "Npz.range": [[0, 2]],
    "WideResNet.norm": ["group"],
    "Transfer.source": ["garments"],
    "DpSgd.source": ["garments"],
    "Study.outliers": [{"neighbours": 2}],
    "Study.epsilon": [{"delta": 0.001}],
    "Audit.evaluated": [60],
    "Mixed.continuous": [3],
    "AugmentationGrid.shifts": [[0, 2]],
    "Directions.directions": [["white", "black"]],
    "Directions.levels": [8],
    "MaxConfidence.reads": ["confidences-again"],
    "TrueConfidence.reads": ["confidences-again"],
    "AdaptiveConfidence.reads": ["confidences-again"],
    **{
        f"{kind}.n_train": [60]
        for kind in ("Bars", "Sweep", "QueriesSpent", "Roc", "Histogram", "Strengths", "Tradeoff", "OnOutliers")
    },
    **{f"{kind}.reads": ["peopled"] for kind in ("Rmia", "AttackP", "AttackR")},
    "Sweep.attacks": [["flips"]],
    "QueriesSpent.metric": ["auc"],
    "Tradeoff.metric": ["auc"],
    "Strengths.settings": [["budget=60"]],
    "Claim.n_train": [[40]],
    "Claim.against_study": ["twin"],
    "Claim.settings": [["budget=60"]],
    "Claim.against": [["chance"]],
    "Claim.against_setting": ["budget=60"],
    "Claim.against_n_train": [60],
}


def place(folder):
    """Put the user's own files that the configuration names into a folder."""
    (folder / "copies").mkdir()
    numbers = np.random.default_rng(0)
    arrays = {name: numbers.random((50, 4)) for name in ("inputs", "more")}
    arrays |= {name: numbers.permutation(np.arange(50) % 3) for name in ("classes", "others")}
    np.savez(folder / "mine.npz", **arrays)
    inputs = numbers.random((200, 4), np.float32)
    with torch.inference_mode():
        classes = GIVEN(torch.from_numpy(inputs)).argmax(1).numpy()
    known, said = (numbers.permutation(np.repeat([1, 0, -1], [70, 80, 50])) for _ in range(2))
    asked = numbers.permutation(np.repeat([0, -1], [120, 80]))
    np.savez(
        folder / "records.npz",
        inputs=inputs,
        classes=classes,
        known=known,
        said=said,
        asked=asked,
        nobody=np.full(200, -1),
    )
    (folder / "given.pt").write_bytes(WEIGHTS)
    (folder / "given.ts").write_bytes(PROGRAM)
    (folder / "tree.joblib").write_bytes(PICKLED)
    _residents().to_csv(folder / "residents.csv", index=False)
    others = ("given.onnx", "given.ubj", "given.txt")
    for name in others:
        (folder / name).write_text(name)  # which nothing opens that plans
    for path in (folder / "given", folder / "copies/given"):
        path.mkdir()
        (path / "config.json").write_text("{}")
        (path / "model.safetensors").write_text("weights")
    for name in ("mine.npz", "given.pt", "given.ts", "tree.joblib", "residents.csv", *others):
        shutil.copy(folder / name, folder / "copies")


def runnable():
    """The configuration with small data of one's own in the place of what would be fetched."""
    config = copy.deepcopy(EVERY_KIND)
    for name in ("fashion", "kuzushiji", "mnist", "cifar10", "cifar100"):
        config["datasets"][name] = {"kind": "npz", "path": "images.npz"}
    for name in ("remote", "graph", "boosted", "light", "folder"):  # there is no server, and no such model
        del config["targets"][name], config["audits" if name == "light" else "studies"][f"audit-{name}"]
    config["datasets"]["mnist"] = {"kind": "npz", "path": "others.npz"}  # what private training starts from is public
    for name in ("location", "adult", "purchase", "texas"):
        config["datasets"][name] = {"kind": "npz", "path": "tables.npz"}
    return config


def place_small_data(folder):
    """Put the files that `runnable` names into a folder."""
    place(folder)
    numbers = np.random.default_rng(1)
    for name, shape in (("images", (1, 8, 8)), ("others", (1, 8, 8)), ("tables", (12,))):
        classes = np.arange(300) % 3
        inputs = (0.6 * numbers.random((300, *shape)) + 0.2 * classes.reshape(-1, *[1] * len(shape))).round(3)
        np.savez(folder / f"{name}.npz", inputs=inputs, classes=classes)
