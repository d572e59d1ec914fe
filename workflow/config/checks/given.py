"""Whether models that exist already can be asked: their files, and what is known of their members."""

from collections.abc import Iterator, Sequence
from math import isinf

from lmia.audit.standing_out import known_needed
from lmia.splits import MIN_KNOWN
from lmia.targets.ledger import ASKED_AGAIN
from lmia.targets.prices import money
from workflow.config.messages import EMPTY, suggest, unknown, where
from workflow.config.schema.configuration import Config, Sent
from workflow.config.schema.datasets import Dataset
from workflow.config.schema.studies import Study
from workflow.config.schema.targets import FileTarget, HttpTarget, Target, TorchTarget
from workflow.harness.fingerprint import file_hash

MIN_SHADOWS = 4  # of a given model: fewer hardly tell how much such models differ, and so none trained otherwise
# What can be done where too few are known of these kinds.
INSTEAD: dict[tuple[str, ...], str] = {
    ("members",): "add records that it was trained on; or mark records in question by -1 and set in_question of the "
    "study, to see which of them stand out from the others",
    ("non-members",): "members alone do not tell what is the model's and what any model finds easy; add records of the "
    "same population that it was not trained on, as those that came too late for it",
}
INSTEAD["members", "non-members"] = (
    "add both, or train models of its kind on your records, by splits: disjoint; or set in_question of the study, for "
    "the little that is told without"
)
EMPTY_IS_UNKNOWN = "; nothing, or -1, means that nobody knows: write 0 for records that it was not trained on"


def check_targets(config: Config) -> Iterator[str]:
    for name, target in config.targets.items():
        key = f"targets.{name}"
        if target.trainer is not None and target.trainer not in config.trainers:
            yield unknown(f"{key}.trainer", target.trainer, config.trainers, "trainers")
        if not isinstance(target, FileTarget) or getattr(target, target.place) is None:
            pass  # behind an address, or trained here
        elif problem := _problem(target):
            yield f"{key}.{target.place}: {getattr(target, target.place) or EMPTY}: {problem}"
        elif target.is_program():
            if (stated := getattr(target, "trust", None)) != (found := file_hash(target.path)):
                yield (
                    f"{key}.trust: {stated or 'missing'}: to open this file is to run it, which is done only where "
                    f"its SHA-256 is stated; write {found} if you know where it comes from"
                )
        if isinstance(target, TorchTarget) and target.model not in config.models:
            yield unknown(f"{key}.model", target.model, config.models, "models")
        if name in config.models:
            yield f"{key}: is under models too, and studies name both kinds by `model`; rename one"


def _problem(target: FileTarget) -> str | None:
    """What is wrong with the file or folder of a model, as far as a look at it tells; None for nothing."""
    try:
        is_there = target.is_there()
    except ValueError:  # a null in its path
        is_there = False
    if not is_there:
        stated = getattr(target, target.place)
        return f"no such {target.place_is}{where(stated)}; give the path of the model that is to be attacked"
    try:
        target.check()
    except (OSError, ValueError) as error:
        return str(error)
    return None


def check_given(key: str, config: Config, study: Study) -> Iterator[str]:
    """What a study of a given model needs, and what it has not."""
    if not study.is_given:
        yield from _check_not_given(key, config, study)
        return
    yield from _check_alternatives(key, config, study)
    if len(study.models()) > 1:
        yield f"{key}.seeds: {study.seeds}: a given model is one, and has one seed, of what is drawn; write [0]"
    if len(study.n_train) > 1:
        yield f"{key}.n_train: {study.n_train}: a given model is one; state the size of its training set"
    if study.defenses != ["none"]:
        yield f"{key}.defenses: {study.defenses}: a given model is asked as it is; remove this"
    yield from _check_shadows(key, config, study)
    for field in ("n_nonmembers", "outliers", "training"):
        if field in study.model_fields_set and getattr(study, field) is not None:
            yield f"{key}.{field}: not for a given model; remove it"
    names, target = config.attacks_of(study), config.targets.get(study.model)
    for name in names:
        attack = config.attacks.get(name)
        if attack and attack.reads in config.queries and target:
            reasons = target.refusals(config.queries[attack.reads])
            yield from (f"{key}.attacks: {name}: queries.{attack.reads} {why}; leave it out" for why in reasons)
    if not _are_defined(config, names):
        return  # see `check_attacks` and `check_studies`
    yield from _check_deciding(key, config, study, names)
    if study.evaluated and study.evaluated < MIN_KNOWN:
        yield f"{key}.evaluated: {study.evaluated}: too few for one half to judge the other; use at least {MIN_KNOWN}"
    if dataset := config.datasets.get(study.dataset):
        if dataset.is_table and target:
            yield from _check_records(key, study, dataset, target)
        yield from _check_known(key, config, study, dataset)


def _check_not_given(key: str, config: Config, study: Study) -> Iterator[str]:
    """What only a study of a given model may have."""
    if study.prior is not None:
        yield f"{key}.prior: {study.prior:g}: only the page of a given model says what follows from it; remove it"
    if study.alternatives:
        yield f"{key}.alternatives: {study.alternatives}: only the page of a given model has some; remove it"
    if study.in_question is not None:
        yield f"{key}.in_question: {study.in_question}: only of a given model some may not be known; remove it"
    if study.model in config.targets:
        yield f"{key}.model: {study.model}: is a given model, and not trained here; set splits: given"


def _check_deciding(key: str, config: Config, study: Study, names: Sequence[str]) -> Iterator[str]:
    """Whether attacks, which are defined, can decide by what is known of the records."""
    for name in names:
        if why := config.cannot_rank(study, name) or config.beyond_shadows(study, name):
            yield f"{key}.attacks: {name}: {why}; leave it out"
    without_members = config.is_without_members(study)
    if without_members and (target := config.targets.get(study.model)) and target.is_trained_here:
        way = target.place or "file"
        yield f"{key}.model: {study.model}: is trained on its known members, of which there are too few; give its {way}"
    if without_members and study.prior is not None:
        yield f"{key}.prior: {study.prior:g}: without known members no probability follows from it; remove it"
    for name, figure in config.figures.items():
        if without_members and study in [config.studies.get(shown) for shown in figure.all_studies()]:
            yield f"figures.{name}: {key} has no metrics, as too few members are known; leave it out"
    if not names and config.is_without_known(study):
        yield (
            f"{key}.attacks: {study.attacks}: none decides without known records; add one of kind distance with "
            "threshold: random_inputs, or records of which it is known whether it was trained on them"
        )
    elif not config.label_attacks_of(study):
        yield f"{key}.attacks: {study.attacks}: none reads labels alone, which an audit judges by; add gap, or another"


def _check_records(key: str, study: Study, dataset: Dataset, target: Target) -> Iterator[str]:
    """Whether a model can be asked about the records of a table."""
    if not target.takes_records:
        yield (
            f"{key}.model: {study.model}: a {target.kind} model takes numbers, and {study.dataset} has records; write "
            "its columns as numbers into a .npz file, or ask the model by a plug-in"
        )
    elif why := target.refused_records(dataset):
        yield f"{key}.model: {study.model}: {why}"


def _check_shadows(key: str, config: Config, study: Study) -> Iterator[str]:
    """Whether a given model can have shadows, and has enough of them."""
    if not study.shadows:
        return
    stated, target = f"{key}.shadows: {study.shadows}", config.targets.get(study.model)
    if study.shadows < MIN_SHADOWS:
        yield f"{stated}: too few to show how much models of one training differ; use at least {MIN_SHADOWS}"
    if target and not target.can_be_trained_again:
        yield f"{stated}: {study.model}: nothing says how models like it are trained; give its target a trainer"
    if config.is_without_members(study):
        yield f"{stated}: teach how known records are judged, of which there are too few; remove it"


def check_limits(config: Config) -> Iterator[str]:
    """What all studies of a model that bills may send and spend together, beside what it allows."""
    for name, target in config.targets.items():
        sent = {key: config.most_sent(study) for key, study in config.studies_of(name).items()}
        if not isinstance(target, HttpTarget) or not sent:
            continue
        total = sum(part.inputs for parts in sent.values() for part in parts) + ASKED_AGAIN  # for one pause
        for option, limit in target.limits().items():
            if total > limit:
                stated = f"targets.{name}.{option}: {getattr(target, option):.12g}"
                yield f"{stated}: {_too_many(target, option, sent, total)}"


def _too_many(target: HttpTarget, option: str, sent: dict[str, list[Sent]], total: float) -> str:
    """What is sent too much, and what to lower. sent: study -> what it sends."""
    largest = max((part for parts in sent.values() for part in parts), key=lambda part: part.inputs)
    studies = " and ".join(f"studies.{key}" for key in sent) + " together" * (len(sent) > 1)
    if isinf(total):
        return f"nobody knows how many inputs {studies} may send for {largest.what}; leave it out, or remove this"
    price = target.price or 0
    costs = f", which cost {money(total * price, target.currency)}," if option == "spend" else ","
    pays = f"; this pays for {target.limits()[option]:,}" if option == "spend" else ""
    return (
        f"{studies} may send up to {total:,.0f} inputs{costs} {largest.inputs:,.0f} of them for {largest.what}{pays}; "
        "raise it, or lower `evaluated`, or budgets and samples of query sets"
    )


def _check_alternatives(key: str, config: Config, study: Study) -> Iterator[str]:
    for name in study.alternatives:
        if (other := config.studies.get(name)) is None:
            yield f"{key}.alternatives: {name}: no study or audit of that name; {suggest(name, list(config.studies))}"
        elif not other.is_given or other.dataset != study.dataset:
            wanted = f"of a given model on {study.dataset}"
            yield f"{key}.alternatives: {name}: is no study {wanted}, so nothing compares; name one, or remove it"
        elif config.is_without_members(other):
            yield f"{key}.alternatives: {name}: knows too few members to say what a training costs; remove it"
        elif other.alternatives:
            yield f"{key}.alternatives: {name}: has alternatives of its own; let one of them all name the others"
        elif differing := _apart(config, study, other):
            yield f"{key}.alternatives: {name}: has other {differing}; give both the same, so that they compare"


def _apart(config: Config, study: Study, other: Study) -> str | None:
    """By what two studies ask other records, or other questions; None where they compare."""
    if study.evaluated != other.evaluated or study.models() != other.models():
        return "records (by evaluated, or its seed)"
    if study.n_shadows != other.n_shadows:
        return "thresholds (by shadows)"
    names = [config.attacks_of(of) for of in (study, other)]
    if not all(_are_defined(config, of) for of in names):
        return None  # see `check_attacks` and `check_studies`
    ours, theirs = ({*config.label_attacks_of(of)} for of in (study, other))
    return None if ours == theirs else f"attacks ({', '.join(sorted(ours ^ theirs))})"


def _are_defined(config: Config, attacks: list[str]) -> bool:
    """Whether attacks of these names, and what they read, are defined."""
    return all(name in config.attacks and config.attacks[name].reads in config.queries for name in attacks)


def _check_known(key: str, config: Config, study: Study, dataset: Dataset) -> Iterator[str]:
    if not dataset.options_of_splits().get("membership"):
        yield (
            f"{key}.dataset: {study.dataset}: does not say what the model was trained on; let it be of kind npz or "
            f"csv, and set datasets.{study.dataset}.membership"
        )
        return
    known = dict(zip(("members", "non-members"), dataset.known(), strict=True))
    if config.known_kinds(study) == ["non-members"]:
        yield from _check_known_others(key, config, study, known["non-members"])
    few = {kind: n for kind, n in known.items() if n < MIN_KNOWN}
    if few and not config.is_without_members(study):
        told = " and ".join(f"{n} known {kind}" for kind, n in few.items())
        missing = tuple(few)
        empty = "" if known["non-members"] or not dataset.unknown() else EMPTY_IS_UNKNOWN
        yield (
            f"datasets.{study.dataset}.membership: {told}: too few for one half to judge the other; at least "
            f"{MIN_KNOWN} of each kind are needed; {INSTEAD[missing]}{empty}"
        )
    if study.in_question is not None and not dataset.unknown():
        yield (
            f"{key}.in_question: {study.in_question}: of all records of {study.dataset} it is known whether they were "
            "in training; mark those in question by -1, or remove this"
        )
    if known["members"] > study.n_train[0]:
        yield (
            f"{key}.n_train: {study.n_train[0]}: {known['members']} members are known; state the size of the whole "
            "training set"
        )
    target = config.targets.get(study.model)
    if target and target.is_trained_here and known["members"] < study.n_train[0] and "members" not in few:
        yield f"{key}.n_train: {study.n_train[0]}: is trained on the {known['members']} known members; write that"
    judged = min(study.evaluated or known["members"], *known.values())
    taught = judged * study.n_shadows or judged // 2
    by = f"the {taught} members of {'all shadows' if study.n_shadows else 'one half'} of {key}"
    for name in config.attacks_of(study):
        folds = getattr(config.attacks.get(name), "folds", 0)
        if isinstance(folds, int) and folds > taught:
            yield f"attacks.{name}.folds: {folds}: more than {by}; lower it"


def _check_known_others(key: str, config: Config, study: Study, n_known: int) -> Iterator[str]:
    """Whether records in question can stand out at all: the smallest p-value is that of the known ones' number."""
    n_attacks = len(config.label_attacks_of(study))
    n, needed = min(study.evaluated or n_known, n_known), known_needed(n_attacks)
    if n < needed:
        stated = f"{key}.evaluated: {n}" if n < n_known else f"datasets.{study.dataset}.membership: {n} known others"
        more = "raise it" if n < n_known else "add some"
        yield (
            f"{stated}: too few for any record in question to stand out by one of {n_attacks} attacks; at least "
            f"{needed} are needed; {more}, or name fewer under attacks of {key}"
        )
