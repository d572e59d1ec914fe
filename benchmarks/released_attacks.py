"""Each released attack beside ours: the same models, points and members, the same shadows, and a count of all queries.

Every function takes (clone, pool) and yields `Beside`; ATTACKS names them with the repository that each needs.
"""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from functools import partial
from itertools import cycle
from types import SimpleNamespace
from typing import Union
from unittest import mock

import numpy as np
import torch
from art_classifier import as_art_classifier
from released_code import Centred, Clone, Counted
from released_pool import POOL, Beside, Pool, Side, judged, timed
from scipy import special
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lmia.attacks.observations import Answers, Confidences, Distances
from lmia.boundary.fixed_directions import fixed_points, search_directions
from lmia.boundary.search import search_boundary
from lmia.calibration import lira, logistic, rmia
from lmia.calibration.signals import signals
from lmia.crafting import oslo, yoqo
from lmia.evaluation.metrics import best_threshold
from lmia.models.crafting_models import FOLDS, fold_of
from lmia.perturbations import augmentation_grid
from lmia.queries.confidences import query_confidences
from lmia.queries.fixed_queries import ask_crafted, ask_fixed
from lmia.streams import stream

PUBLISHED, ECONOMICAL = 2500, 250  # queries of a boundary search at most
A = 0.3  # of RMIA, the same for both
ART_ITERATIONS = (10, 50)  # about as many queries as ours published, and its default
PARTS = 4  # of the points, between which both codes take turns


def boundary_art(clone: Clone, pool: Pool) -> Iterator[Beside]:
    """LabelOnlyDecisionBoundary, its threshold calibrated on a shadow, beside our schedules: at our queries, by ten of
    its iterations, and at its own fifty."""
    from art.attacks.inference.membership_inference import LabelOnlyDecisionBoundary

    inputs, classes = pool.points()
    x = inputs.numpy()
    shadow = len(pool.models) - 1
    known = pool.is_member[shadow, pool.asked]

    def attack(model: nn.Module, tau: float | None = None) -> LabelOnlyDecisionBoundary:
        np.random.seed(POOL)  # noqa: NPY002 - the stream that it draws from
        return LabelOnlyDecisionBoundary(_art_classifier(model, pool), distance_threshold_tau=tau)

    def calibrate(**how) -> float:
        on_shadow = attack(pool.models[shadow])
        on_shadow.calibrate_distance_threshold(x[known], classes[known], x[~known], classes[~known], **how)
        return float(on_shadow.distance_threshold_tau)

    def infer(asked: nn.Module, tau: float, **how) -> np.ndarray:
        # Without the bins of the calibration, its probability is a sigmoid of the distance, which keeps the order.
        return attack(asked, tau).infer(x, classes, probabilities=True, **how)[:, 1]

    theirs = {}
    for iterations in ART_ITERATIONS:
        how = {"max_iter": iterations, "verbose": False}
        theirs[iterations] = partial(infer, tau=calibrate(**how), **how), _Book()
    ours = {
        name: (partial(_distances, pool, budget=budget, schedule=name), budget, _Book())
        for name, budget in (("published", PUBLISHED), ("economical", ECONOMICAL))
    }
    for model in pool.models[: pool.sizes.targets]:
        for search, book in theirs.values():
            book.run(model, search)
        for search, _, book in ours.values():
            book.run(model, search)
    targets = pool.sizes.targets
    for iterations, (_, book) in theirs.items():
        side = book.side(thresholds=np.full(targets, np.nextafter(0.5, 1)))
        for schedule, (search, budget, our_book) in ours.items():
            threshold = best_threshold(search(pool.models[shadow]), known)
            our_side = our_book.side(thresholds=np.full(targets, threshold))
            names = f"LabelOnlyDecisionBoundary, max_iter {iterations}", f"boundary, {schedule}, {budget}"
            yield Beside("boundary", clone.repository, *names, _members(pool), side, our_side)


def gap_art(clone: Clone, pool: Pool) -> Iterator[Beside]:
    """LabelOnlyGapAttack."""
    from art.attacks.inference.membership_inference import LabelOnlyGapAttack

    inputs, classes = pool.inputs, pool.classes
    x, theirs, ours = inputs.numpy(), _Book(), _Book()
    with torch.inference_mode():
        for model in pool.models:
            theirs.run(model, lambda asked: LabelOnlyGapAttack(_art_classifier(asked, pool)).infer(x, classes))
            ours.run(model, lambda asked: _right(asked(inputs).argmax(1), classes))
    half = np.full(len(pool.models), 0.5)
    sides = theirs.side(thresholds=half), ours.side(thresholds=half)
    yield Beside("gap", clone.repository, "LabelOnlyGapAttack", "gap", pool.is_member, *sides)


def boundary_leakpro(clone: Clone, pool: Pool) -> Iterator[Beside]:
    """HopSkipJump as LeakPro's attack calls it: two iterations, of inputs in [-1, 1]."""
    release = clone.load(
        "leakpro/signals/utils/HopSkipJumpDistance.py",
        "HopSkipJumpDistance",
        **_LEAKPRO,
        tqdm=_Silent,
    )
    inputs, classes = pool.points()
    loader = DataLoader(TensorDataset(2 * inputs - 1, torch.from_numpy(classes)), batch_size=64)
    # In the order of AttackHopSkipJump.run_attack, which gives its `verbose` as the signal's epsilon_threshold.
    options = (2, None, None, 100, 10000, "geometric_progression", 2, 1.0, 2, 64, True)

    def distances(asked: nn.Module) -> np.ndarray:
        torch.manual_seed(POOL)
        return release.HopSkipJumpDistance(Centred(asked), loader, *options).hop_skip_jump()[1]

    theirs, ours = _Book(), _Book()
    for model in pool.models[: pool.sizes.targets]:
        theirs.run(model, distances)
        ours.run(model, partial(_distances, pool, budget=ECONOMICAL, schedule="economical"))
    own = _leakpro_auc(clone)
    for name, sign in (("its sign turned", 1), ("as released", -1)):
        side = theirs.side(sign=sign, own=own)
        names = f"AttackHopSkipJump, {name}", f"boundary, economical, {ECONOMICAL}"
        yield Beside("boundary", clone.repository, *names, _members(pool), side, ours.side())


def oslo_leakpro(clone: Clone, pool: Pool) -> Iterator[Beside]:
    """OSLO by LeakPro's own numbers, and ours at its five thresholds, from the same surrogates."""
    release = clone.load("leakpro/attacks/mia_attacks/oslo.py", "AttackOSLO", **_LEAKPRO)
    settings = release.AttackOSLO.AttackConfig()
    attack = object.__new__(release.AttackOSLO)
    vars(attack).update(settings.model_dump(), binary_output=False, loss=nn.CrossEntropyLoss(reduction="none"))
    # As its prepare_attack makes them: logarithms of the validators' confidences together.
    together = np.linspace(np.log(settings.max_threshold), np.log(settings.min_threshold), settings.n_thresholds)
    wrapped = [SimpleNamespace(model_obj=model) for model in pool.surrogates]
    n = settings.num_source_models
    vars(attack).update(thresholds=together, source_models=wrapped[:n], validation_models=wrapped[n:])
    of_each = np.exp(together / settings.num_validation_models)
    of_each[0] = 0.99  # its first one is a confidence of 1, which any step goes below
    sizes = {"sources": n, "validators": settings.num_validation_models}
    crafting = oslo.Crafting(of_each.tolist(), **sizes)
    knows = np.zeros((len(pool.surrogates), pool.sizes.asked), bool)

    def make(rows: np.ndarray) -> torch.Tensor:
        inputs, classes = pool.points()
        one_by_one = [
            attack._generate_adversarial_example(inputs[row : row + 1], torch.from_numpy(classes[row : row + 1]))
            for row in rows
        ]
        return torch.stack([made[:, 0] for made in one_by_one]).detach()

    def make_ours(rows: np.ndarray) -> torch.Tensor:
        inputs, classes = pool.points()
        return torch.from_numpy(crafting.craft(pool.surrogates, knows[:, rows], inputs[rows], classes[rows])[0])

    theirs, ours = _crafted(pool, make, make_ours)
    half, own = np.full(len(pool.models), 0.5), _leakpro_auc(clone)
    members = pool.is_member[:, pool.asked]
    last = [of.side(columns=[-1], thresholds=half, own=of_own) for of, of_own in ((theirs, own), (ours, None))]
    yield Beside("OSLO, the last threshold", clone.repository, "AttackOSLO", "kept on oslo", members, *last)
    counted = [of.side(columns=range(len(together)), own=of_own) for of, of_own in ((theirs, own), (ours, None))]
    names = "AttackOSLO, five thresholds counted", "vote on oslo"
    yield Beside("OSLO, all thresholds", clone.repository, *names, members, *counted)


def yoqo_authors(clone: Clone, pool: Pool) -> Iterator[Beside]:
    """YOQO from the pool's own models in two folds, as ours, online and offline, in the box or not."""
    networks = cycle([pool.build(), pool.build()])  # it holds two at a time, and fills each anew
    release = clone.load(
        "shadow_training/yoqo_atk.py",
        *("get_multi_target", "generating_online_aes", "generating_offline_aes", "attack"),
        torch=(weights := _Weights()),
        get_network_assmb=lambda name, args: next(networks),
        settings=SimpleNamespace(CHECKPOINT_PATH=""),
    )
    inputs, classes = pool.points()
    half, members = np.full(len(pool.models), 0.5), pool.is_member[:, pool.asked]
    for online, alpha, end in ((True, 2, 4), (False, 5, 8)):  # as its README has them
        args = SimpleNamespace(
            device="cpu", dataset="", data_size=0, net="", online=online, is_multilabel=True, lr=0.01, max_epoch=50
        )
        args.loss_threshold = end
        step = release.generating_online_aes if online else release.generating_offline_aes

        def make(rows: np.ndarray, models: np.ndarray, args=args, alpha=alpha, step=step) -> torch.Tensor:
            made = []
            for row in rows:
                start = inputs[row : row + 1]
                knows = members[models, row]
                weights.hold([pool.models[of] for of in models[knows]], [pool.models[of] for of in models[~knows]])
                space, label = release.globals, int(classes[row])
                space |= {"args": args, "ground_label": label, "TRAIN_MODEL_NAMES": [""], "ori": start}
                space |= {"inp": start.clone().requires_grad_(), "mse_loss": nn.MSELoss()}
                loss = space["loss_function"] = nn.CrossEntropyLoss()
                space["target_clas"] = release.get_multi_target(len(models) // 2)
                release.attack(args, [""], step, loss, torch.tensor([label]), alpha, len(models) // 2)
                made.append(space["inp"].detach())
            return torch.stack(made)

        for clip in (True, False):
            crafting = yoqo.Crafting(online=online, clip=clip)

            def make_ours(rows: np.ndarray, models: np.ndarray, crafting=crafting) -> torch.Tensor:
                networks = [pool.models[of] for of in models]
                found = crafting.craft(networks, members[np.ix_(models, rows)], inputs[rows], classes[rows])
                return torch.from_numpy(found[0])

            if clip:  # ours in the box and outside it stand beside the same of theirs
                with mock.patch.object(torch.Tensor, "cuda", lambda of, *_: of), _quiet():
                    theirs, ours = _crafted(pool, make, make_ours, from_pool=True)
            else:
                _, ours = _crafted(pool, make_ours, make_ours, from_pool=True)
            name = f"YOQO, {'online' if online else 'offline'}"
            ours_name = f"kept on yoqo, {'' if clip else 'not '}clipped"
            sides = [of.side(columns=[-1], thresholds=half) for of in (theirs, ours)]
            yield Beside(name, clone.repository, "yoqo_atk.py", ours_name, members, *sides)


def directions_dhattack(clone: Clone, pool: Pool) -> Iterator[Beside]:
    """DHAttack's 30 levels and distance, beside our scan and bisection towards white; then all by our calibration."""
    release = clone.load("DHAttackBase.py", "add_mask", "computeLDistance", "compute_AUC")
    inputs, classes, levels = pool.inputs, pool.classes, 30
    white = fixed_points(["white"], inputs.shape[1:], stream(POOL, "unused"))

    def scan(asked: nn.Module) -> np.ndarray:
        path = np.stack(
            [release.add_mask(image, level / levels) for image in inputs.numpy() for level in range(levels)]
        )
        with torch.inference_mode():
            labels = torch.cat([asked(part).argmax(1) for part in torch.from_numpy(path).split(100)]).numpy()
        rows = zip(labels.reshape(-1, levels), classes, strict=True)
        return np.array([release.computeLDistance(of_one, np.full(levels, label)) for of_one, label in rows], float)

    def search(asked: nn.Module, method: str) -> np.ndarray:
        return search_directions(asked, inputs, classes, white, levels=32, method=method)[0][:, 0, -1]

    theirs, ours = _Book(), {"scan": _Book(), "bisection": _Book()}
    for model in pool.models:
        theirs.run(model, scan)
        for method, book in ours.items():
            book.run(model, partial(search, method=method))

    def own(scores: np.ndarray, bits: np.ndarray) -> float:
        return release.compute_AUC(bits, np.minimum(scores, np.finfo(float).max))

    plain = theirs.side(own=own)
    calibrated = _lira_of(plain.scores, pool, plain.queries)
    for method, book in ours.items():
        side, name = book.side(), f"white, 32 levels, {method}"
        yield Beside("fixed direction", clone.repository, "DHAttack's distance", name, pool.is_member, plain, side)
        names = "DHAttack's distance, by our lira", f"{name}, lira"
        sides = calibrated, _lira_of(side.scores, pool, side.queries)
        yield Beside("fixed direction, calibrated", clone.repository, *names, pool.is_member, *sides)


def logistic_aerni(clone: Clone, pool: Pool) -> Iterator[Beside]:
    """The regression of the shadow-calibrated augmentation attack, on answers to our grid."""
    release = clone.load("src/experiments/hamp.py", "_LabelOnlyLogisticRegressionAttack")
    grid = augmentation_grid.Perturbation(shifts=[0, -1, 1])
    draws = pool.streams("unused")
    observed = [
        Answers(ask_fixed(model, pool.inputs, grid, lambda: draws)[0], pool.classes, np.array([0.0, *grid.magnitudes]))
        for model in pool.models
    ]
    queries = float(observed[0].queries().mean())

    def regress(target: Answers, shadows: list[Answers], known: np.ndarray) -> list[float]:
        rows = np.stack([of.features() for of in (target, *shadows)], axis=1)
        bits = np.concatenate([np.zeros((1, len(rows)), int), known]).T  # it deletes the target's own
        attack = release._LabelOnlyLogisticRegressionAttack(bits, rows, 0, 1.0, POOL)
        return [attack(example) for example in range(len(rows))]

    warnings.filterwarnings("ignore", "'penalty' was deprecated", FutureWarning)  # each fit would print it
    ours = judged(logistic.Calibration().score, observed, pool.is_member, queries)
    theirs = judged(regress, observed, pool.is_member, queries)
    name = "_LabelOnlyLogisticRegressionAttack"
    yield Beside("augmentation", clone.repository, name, "logistic", pool.is_member, theirs, ours)
    others = [np.delete(np.arange(len(observed)), target) for target in range(len(observed))]
    found = [
        timed(regress, observed[target], [observed[k] for k in rest], pool.is_member[rest])
        for target, rest in enumerate(others)
    ]
    scores, seconds = zip(*found, strict=True)
    theirs = Side(np.array(scores), np.array(seconds), queries)
    name += ", with the partner, as released"
    yield Beside("augmentation", clone.repository, name, "logistic", pool.is_member, theirs, ours)


def lira_tensorflow(clone: Clone, pool: Pool) -> Iterator[Beside]:
    """TensorFlow Privacy's LiRA beside ours, on confidences and on boundary distances, from the same signals."""
    path = "research/mi_lira_2021/plot.py"
    release = clone.load(path, "generate_ours", "generate_ours_offline", "sweep")

    def own(scores: np.ndarray, bits: np.ndarray) -> float:
        return float(release.sweep(-scores, bits)[2])

    def score(generate, target, shadows, known, **options) -> np.ndarray:
        of_target, of_shadows = signals(target, shadows)
        return -np.array(generate(known, of_shadows, known[:1], of_target[None], **options)[0])

    distances = [_course(pool, model, budget=ECONOMICAL, schedule="economical")[:2] for model in pool.models]
    classes = pool.classes[pool.asked]
    boundary = [Distances(course, queries, classes) for course, queries in distances]
    asked = float(np.mean([of.queries().mean() for of in boundary]))
    every = np.arange(len(pool.inputs))
    for kind, observed, points, queries in (
        ("confidences", _confidences(pool), every, 1.0),
        ("boundary distances", boundary, pool.asked, asked),
    ):
        members = pool.is_member[:, points]
        for name, generate, options, online, variance in (
            ("online", release.generate_ours, {}, True, "each"),
            ("online, fixed variance", release.generate_ours, {"fix_variance": True}, True, "fixed"),
            ("offline", release.generate_ours_offline, {}, False, "each"),
            ("online", release.generate_ours, {}, True, "shrunk"),
        ):
            rule = lira.Calibration(online, variance)
            theirs = judged(partial(score, generate, **options), observed, members, queries, own=own)
            ours = judged(rule.score, observed, members, queries)
            names = f"plot.py, {name}", f"lira, {'online' if online else 'offline'}, {variance}"
            yield Beside(f"LiRA, {kind}", clone.repository, *names, members, theirs, ours)


def rmia_meter(clone: Clone, pool: Pool) -> Iterator[Beside]:
    """ML Privacy Meter's RMIA beside ours, offline with one `a` for both; and beside ours online, our default."""
    release = clone.load("attacks.py", "get_rmia_out_signals", "run_rmia")
    observed = _confidences(pool)

    def run(target: Confidences, shadows: list[Confidences], known: np.ndarray) -> np.ndarray:
        models = [target, target, *shadows]  # it leaves out the target and the model beside it
        signal, population = (
            special.expit(np.stack([of.phi if name == "phi" else of.population for of in models], axis=1))
            for name in ("phi", "population")
        )
        bits = np.concatenate([np.zeros((2, known.shape[1]), bool), known]).T
        return release.run_rmia(0, signal, population, bits, len(shadows) // 2, A)

    theirs = judged(run, observed, pool.is_member, 1.0)
    for name, rule in (("offline", rmia.Calibration(online=False, a=A)), ("online", rmia.Calibration())):
        ours = judged(rule.score, observed, pool.is_member, 1.0)
        yield Beside("RMIA", clone.repository, "run_rmia, offline", f"rmia, {name}", pool.is_member, theirs, ours)


ART = "Trusted-AI/adversarial-robustness-toolbox"  # from the package index, not from a clone
ATTACKS = {
    "gap-art": (gap_art, ART),
    "boundary-leakpro": (boundary_leakpro, "aidotse/LeakPro"),
    "oslo-leakpro": (oslo_leakpro, "aidotse/LeakPro"),
    "directions-dhattack": (directions_dhattack, "AIPAG/DHAttack"),
    "lira": (lira_tensorflow, "tensorflow/privacy"),
    "rmia": (rmia_meter, "privacytrustlab/ml_privacy_meter"),
    "logistic": (logistic_aerni, "ethz-spylab/misleading-privacy-evals"),
    "yoqo": (yoqo_authors, "WU-YU-TONG/YOQO"),
    "boundary-art": (boundary_art, ART),
}


class _Book:
    """What one code says of each target, and what that cost."""

    def __init__(self):
        self._scores, self._seconds, self._rows = [], [], 0

    def run(self, model: nn.Module, attack) -> None:
        """attack: counted model -> scores (n,)."""
        asked = Counted(model)
        scores, seconds = timed(attack, asked)
        self._scores.append(np.asarray(scores, float).ravel())
        self._seconds.append(seconds)
        self._rows += asked.rows

    def side(self, sign: int = 1, **options) -> Side:
        """All of it. sign: of the scores."""
        scores = sign * np.stack(self._scores)
        return Side(scores, np.array(self._seconds), self._rows / scores.size, **options)


class _Kept:
    """Which crafted queries each model of a pool answers with the true class, bools (K, n, q), and their cost."""

    def __init__(self, kept: np.ndarray, seconds: list[float]):
        self._kept, self._seconds = kept, np.array(seconds)

    def side(self, columns, **options) -> Side:
        """Score: how many of some queries are."""
        kept = self._kept[:, :, list(columns)]
        return Side(kept.sum(axis=2).astype(float), self._seconds, kept.shape[2], **options)


def _crafted(pool: Pool, make, make_ours, from_pool: bool = False) -> tuple[_Kept, _Kept]:
    """Queries of both codes, made in turns, and asked of all models of the pool.

    make, make_ours: places among the points that are asked much, ints (m,) -> queries (m, q, *shape). from_pool: they
    also take the numbers of the models that they may use, a fold of the pool's, and the other fold is asked.
    """
    numbers = np.arange(len(pool.models))
    folds = np.array([fold_of(number) for number in numbers])
    parts = np.array_split(np.arange(pool.sizes.asked), PARTS)
    (inputs, classes), kept, seconds = pool.points(), ([], []), ([], [])
    for fold in range(FOLDS) if from_pool else [None]:
        given = () if fold is None else (numbers[folds == fold],)
        made = ([], [])
        for part in parts:
            for side, of in enumerate((make, make_ours)):
                queries, took = timed(of, part, *given)
                made[side].append(queries)
                seconds[side].append(took)
        asked = numbers if fold is None else numbers[folds != fold]
        for side, queries in enumerate(made):
            together = torch.cat(queries)
            labels = [ask_crafted(pool.models[of], inputs, together)[0][:, 1:] for of in asked]
            kept[side].append((asked, np.stack(labels) == classes[:, None]))
    found = []
    for side, took in zip(kept, seconds, strict=True):
        order, right = (np.concatenate(of) for of in zip(*side, strict=True))
        found.append(_Kept(right[np.argsort(order)], took))
    return found[0], found[1]


class _Weights:
    """torch, but that it loads weights from models that are held, by the names which YOQO's code gives their files."""

    def __init__(self):
        self._held = {}

    def __getattr__(self, name: str):
        return getattr(torch, name)

    def hold(self, inside: list[nn.Module], outside: list[nn.Module]) -> None:
        """Models that were trained on a point, and models that were not."""
        self._held = {
            f"{kind}/{kind}--{number}.pth": model.state_dict()
            for kind, models in (("in", inside), ("out", outside))
            for number, model in enumerate(models)
        }

    def load(self, path: str):
        """The weights of the model that would be in this file."""
        return self._held[path.lstrip("/")]


class _Silent:
    """tqdm without a bar."""

    def __new__(cls, rows, **_):
        return rows

    write = staticmethod(lambda text: None)


_LEAKPRO = {  # what its files import of its own package
    "logger": logging.getLogger("leakpro"),
    "AbstractMIA": object,
    **{"Self": object, "Any": object, "Union": Union, "List": list, "Tuple": tuple},
    **dict.fromkeys(["ShadowModelHandler", "AbstractInputHandler", "MIAResult", "MIAResultSchema"]),
    **dict.fromkeys(["reduce_to_unique_labels", "hash_config"]),
}


def _leakpro_auc(clone: Clone):
    """AUC by LeakPro's own ROC curve: (scores (n,), bools (n,)) -> a float."""
    release = clone.load("leakpro/reporting/mia_result.py", "MIAResult", **_LEAKPRO)

    def auc(scores: np.ndarray, bits: np.ndarray) -> float:
        result = object.__new__(release.MIAResult)
        vars(result).update(signal_values=scores, true=bits, roc_mode="full")
        result._compute_confusion_arrays()
        result._compute_metrics()
        return float("nan") if result.roc_auc is None else float(result.roc_auc)

    return auc


def _quiet():
    return contextlib.redirect_stdout(io.StringIO())


def _art_classifier(model: nn.Module, pool: Pool):
    return as_art_classifier(model, pool.inputs.shape[1:], pool.n_classes, torch.device("cpu"))


def _course(pool: Pool, model: nn.Module, budget: int, schedule: str):
    inputs, classes = pool.points()
    draws = pool.streams("boundary searches")
    others = pool.others[0], pool.others[1]
    return search_boundary(model, inputs, classes, lambda copy: draws, budget=budget, schedule=schedule, pool=others)


def _distances(pool: Pool, model: nn.Module, budget: int, schedule: str) -> np.ndarray:
    return _course(pool, model, budget, schedule)[0][:, 0, -1]


def _confidences(pool: Pool) -> list[Confidences]:
    observed = []
    for model in pool.models:
        told, phi = query_confidences(model, pool.inputs, pool.classes, lambda rows: rows)
        population = query_confidences(model, *pool.others, lambda rows: rows)[1]
        observed.append(Confidences(told, pool.classes, phi, population))
    return observed


def _lira_of(distances: np.ndarray, pool: Pool, queries: float) -> Side:
    """Our calibration of distances (K, N)."""
    asked = np.ones((len(pool.inputs), 1, 1), int)
    observed = [Distances(of_one[:, None, None], asked, pool.classes) for of_one in distances]
    return judged(lira.Calibration().score, observed, pool.is_member, queries)


def _members(pool: Pool) -> np.ndarray:
    return pool.is_member[: pool.sizes.targets, pool.asked]


def _right(labels: torch.Tensor, classes: np.ndarray) -> np.ndarray:
    return (labels.numpy() == classes).astype(float)
