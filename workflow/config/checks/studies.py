"""Whether a study can be drawn, trained and asked: its sizes, seeds and shapes."""

from collections.abc import Iterator, Mapping

from lmia.calibration.pools import MIN_MODELS
from lmia.streams import seed_list
from workflow.config.checks.defenses import check_trained
from workflow.config.checks.given import check_given
from workflow.config.exhibit_inputs import evaluated_points
from workflow.config.messages import unknown
from workflow.config.schema.attacks import Rule
from workflow.config.schema.configuration import Config
from workflow.config.schema.datasets import Dataset
from workflow.config.schema.query import Query
from workflow.config.schema.studies import Study

MAX_SEEDS = 10_000


def check_studies(config: Config) -> Iterator[str]:
    for name, study in config.studies.items():
        key = f"studies.{name}"
        models = ("targets", config.targets) if study.is_given else ("models", config.models)
        for field, (name_of_section, section) in (("dataset", ("datasets", config.datasets)), ("model", models)):
            if getattr(study, field) not in section:
                yield unknown(f"{key}.{field}", getattr(study, field), section, name_of_section)
        for defense in study.defenses:
            if defense not in config.defenses:
                yield unknown(f"{key}.defenses", defense, config.defenses, "defenses")
        for attack in study.attacks or []:
            if attack not in config.attacks:
                yield unknown(f"{key}.attacks", attack, config.attacks, "attacks")
        yield from _check_seeds(key, study)
        yield from _check_folds(config, study)
        yield from _check_outliers(key, study)
        yield from _check_pool(key, config, study)
        yield from _check_references(key, config, study)
        yield from check_given(key, config, study)
        if study.dataset in config.datasets:
            yield from _check_size(key, study, config.datasets[study.dataset])
            yield from _check_shape(key, config, study)
            yield from _check_population(config, study, config.datasets[study.dataset])
            yield from _check_surrogates(key, config, study, config.datasets[study.dataset])
            yield from _check_relabelled(key, config, study, config.datasets[study.dataset])


def _check_seeds(key: str, study: Study) -> Iterator[str]:
    seen: set[int] = set()
    for block in study.seeds:
        first, _, last = str(block).partition("-")
        if int(last or first) - int(first) >= MAX_SEEDS:
            yield f"{key}.seeds: {block}: a block of more than {MAX_SEEDS} seeds, which is one job; cut it"
            return
        seeds = seed_list(block)
        if not seeds:
            yield f"{key}.seeds: {block}: an empty range; write the smaller seed first"
        if seen & set(seeds):
            yield f"{key}.seeds: {block}: seed {min(seen & set(seeds))} is in another block too; let blocks not overlap"
        seen |= set(seeds)


def _check_pool(key: str, config: Config, study: Study) -> Iterator[str]:
    """What a pool needs, and what it has not."""
    attacks = {name: config.attacks[name] for name in config.attacks_of(study) if name in config.attacks}
    queries = {name: config.queries[attack.reads] for name, attack in attacks.items() if attack.reads in config.queries}
    if not study.is_pool:
        yield from _check_no_pool(key, study, attacks, queries)
        return
    models, absent = study.models(), "a pool has models of one kind, each a target and a shadow; remove it"
    if alone := [model for model in models if model ^ 1 not in models]:
        yield f"{key}.seeds: {alone[0]}: is a model without its partner {alone[0] ^ 1}; pools are of pairs: add that"
    elif len(models) < MIN_MODELS:
        yield f"{key}.seeds: {len(models)} models: too few to be each other's shadows; use at least {MIN_MODELS}"
    for field in ("n_nonmembers", "outliers"):
        if getattr(study, field) is not None:
            yield f"{key}.{field}: {absent}"
    if study.shadows not in (None, 1):
        yield f"{key}.shadows: {study.shadows}: {absent}"
    yield from _check_canaries(key, study)
    if study.relabelled is not None and not any(query.n_relabelled() for query in queries.values()):
        unread = "no attack reads models that are trained on a target's labels"
        yield f"{key}.relabelled: {study.relabelled}: {unread}; remove it, or add an attack of kind transfer"
    for name, attack in attacks.items():
        yield from _check_pool_attack(key, study, name, attack, queries.get(name))


def _check_no_pool(key: str, study: Study, attacks: Mapping[str, Rule], queries: Mapping[str, Query]) -> Iterator[str]:
    """What only a pool may have. queries: of those attacks whose query set there is."""
    of_pool = {
        "pool": f"{study.pool}: only models of splits: pool have one",
        "epsilon": "is bounded by the coins of a pool",
        "canaries": f"{study.canaries}: only a pool has some",
        "canary_kind": f"{study.canary_kind}: only a pool has canaries",
        "relabelled": f"{study.relabelled}: only a pool has some",
    }
    for field, reason in of_pool.items():
        if getattr(study, field) is not None:
            yield f"{key}.{field}: {reason}; remove it, or set splits: pool"
    for name in [name for name, attack in attacks.items() if attack.calibrates]:
        yield f"{key}.attacks: {name}: calibrates each example, which needs splits: pool; leave it out"
    for name, query in queries.items():
        reads = f"queries.{attacks[name].reads}"
        if query.crafted_from:
            crafted = f"{reads} is crafted for the examples of a pool"
            yield f"{key}.attacks: {name}: {crafted}, which needs splits: pool; leave it out"
        if query.n_relabelled():
            trained = f"models of {reads} are trained on labels of a pool's targets"
            yield f"{key}.attacks: {name}: {trained}, which needs splits: pool; leave it out"


def _check_canaries(key: str, study: Study) -> Iterator[str]:
    """Whether canaries of a pool leave ordinary examples, and have a kind only where there are some."""
    others = 2 * min(evaluated_points(study, n) for n in study.n_train) - (study.canaries or 0)
    if study.canaries is not None and others < 2:
        yield f"{key}.canaries: {study.canaries}: leave {max(others, 0)} ordinary examples to be asked about; lower it"
    if study.canary_kind is not None and study.canaries is None:
        yield f"{key}.canary_kind: {study.canary_kind}: there are no canaries; remove it, or set canaries: 40"


def _check_pool_attack(key: str, study: Study, name: str, attack: Rule, query: Query | None) -> Iterator[str]:
    """Whether a pool has the models that an attack needs. query: the set that it reads, None where there is none."""
    models, reads = study.models(), f"queries.{attack.reads}"
    if MIN_MODELS <= len(models) < (least := attack.needs_shadows + 4):  # a target, a shadow, and their partners
        taught = f"leave {len(models) - 4} to judge the shadows that a threshold of {name} is chosen on"
        yield (
            f"{key}.seeds: {len(models)} models: {taught}, and a {attack.kind} attack needs "
            f"{attack.needs_shadows} for a variance; use at least {least}, or kind difference"
        )
    if attack.shadows and attack.shadows[-1] > len(models) - 2:
        most = f"{len(models)} models leave {len(models) - 2}"
        yield f"attacks.{name}.shadows: {attack.shadows[-1]}: {most} of {key} for a target; lower it"
    if query is None:
        return
    if query.crafted_from == "pool":
        if len({model // 2 % 2 for model in models}) == 1:  # folds
            crafted = f"{reads} is crafted from every other pair"
            yield f"{key}.seeds: {crafted} and asked of the rest, of which there is none; add pairs between"
        if study.epsilon is not None:
            yield (
                f"{key}.epsilon: shadows answer what {attack.reads} crafts from the target's own coins, so what "
                f"{name} guesses bounds nothing; leave {name} out, or epsilon"
            )
    if query.stops_early():
        stops = f"{reads} stops early by shadows whose searches do not"
        yield f"{key}.attacks: {name}: {stops}, and a pool has none; leave it out"


def _check_references(key: str, config: Config, study: Study) -> Iterator[str]:
    """Whether searches that start at shadows have some for the target, and for each of the shadows."""
    for name in config.query_sets_of(study):
        if not (needed := config.queries[name].n_references()):
            continue
        if study.splits != "disjoint":
            yield (
                f"queries.{name}.schedule: warm: starts at shadows that share no example with the target, and {key} "
                f"has splits: {study.splits}; set splits: disjoint, or leave out the attacks that read it there"
            )
        elif study.n_shadows <= needed:
            yield (
                f"{key}.shadows: {study.n_shadows}: searches of queries.{name} start at {needed} of them, and those of "
                f"a shadow at others; use at least {needed + 1}, or leave out the attacks that read it"
            )


def _check_outliers(key: str, study: Study) -> Iterator[str]:
    n = 2 * min(evaluated_points(study, n) for n in study.n_train)
    if study.outliers and study.outliers.neighbours >= n:
        yield f"{key}.outliers.neighbours: {study.outliers.neighbours}: only {n} points are evaluated; lower it"


def _check_folds(config: Config, study: Study) -> Iterator[str]:
    if study.is_given:
        return  # see `check_given`
    n_shadows = len(study.models()) - 2 if study.is_pool else study.n_shadows
    members = evaluated_points(study, min(study.n_train)) * n_shadows
    for name in config.attacks_of(study):
        folds = getattr(config.attacks.get(name), "folds", 0)
        if isinstance(folds, int) and folds > members:
            yield f"attacks.{name}.folds: {folds}: more than the shadow's {members} members that are asked about"


def _check_size(key: str, study: Study, dataset: Dataset) -> Iterator[str]:
    """n_train against the data set's size, where its module states that as N_EXAMPLES."""
    if study.splits == "halves":
        if study.n_nonmembers:
            yield f"{key}.n_nonmembers: {study.n_nonmembers}: halves have as many as members; remove it"
        if study.n_shadows > 1:
            yield f"{key}.shadows: {study.shadows}: halves leave data for one shadow; set it to 1, or splits: disjoint"
    if study.is_given:
        return  # of what was trained elsewhere, most may be elsewhere
    if size := dataset.fact("N_EXAMPLES"):
        for n in study.n_train:
            needed, most = _examples(study, n, size)
            if needed > size:
                splits = {"pool": "the two models of a pair", "halves": "two disjoint splits"}
                needs = f"{splits.get(study.splits, 'four disjoint splits')} need {needed} examples"
                yield f"{key}.n_train: {n}: {needs}, {study.dataset} has {size}; use at most {most}"


def _check_population(config: Config, study: Study, dataset: Dataset) -> Iterator[str]:
    """A population is of what members and non-members leave of the data set, where its module states its size."""
    asked = {name: getattr(config.queries[name], "population", 0) for name in config.query_sets_of(study)}
    if size := dataset.fact("N_EXAMPLES"):
        known = sum(dataset.known()) if study.is_given else max(n + (study.n_nonmembers or n) for n in study.n_train)
        left = size - known
        for name in [name for name, n in asked.items() if n and n > left]:
            leave = f"members and non-members leave {left} of {study.dataset}"
            yield f"queries.{name}.population: {asked[name]}: {leave}; lower it"


def _check_surrogates(key: str, config: Config, study: Study, dataset: Dataset) -> Iterator[str]:
    """Surrogates are trained on what a pool leaves of the data set, where its module states its size."""
    crafted = [name for name in config.query_sets_of(study) if config.queries[name].surrogate_roles()]
    size = dataset.fact("N_EXAMPLES")
    if not (study.is_pool and crafted and size):
        return
    for n in study.n_train:
        if 2 * n <= size < 3 * n:
            needs = f"surrogates of queries.{crafted[0]} need {n} examples beside the pool's {2 * n}"
            yield f"{key}.n_train: {n}: {needs}, {study.dataset} has {size}; use at most {size // 3}"


def _check_relabelled(key: str, config: Config, study: Study, dataset: Dataset) -> Iterator[str]:
    """Targets label what a pool leaves of the data set, where its module states its size."""
    asked = [name for name in config.query_sets_of(study) if config.queries[name].n_relabelled()]
    size = dataset.fact("N_EXAMPLES")
    for name in [name for name in study.defenses if asked and name in config.defenses]:
        if study.is_pool and config.defenses[name].needs_reference:
            yield (
                f"{key}.defenses: {name}: learns from further points by their true classes, which nobody knows who "
                f"has targets label them, as queries.{asked[0]} does; leave it out, or the attacks that read that"
            )
    if not (study.is_pool and asked and size):
        return
    for n in study.n_train:
        points, left = study.n_relabelled(n), size - 2 * n
        if points > left > 0:
            of = "" if study.relabelled else ", 4 times n_train, as it is not stated"
            leaves = f"the pool's {2 * n} examples leave {left} of {study.dataset} for queries.{asked[0]}"
            yield f"{key}.relabelled: {points}{of}: {leaves}; lower it, or n_train"


def _examples(study: Study, n: int, size: int) -> tuple[int, int]:
    """(examples that models of n members need, the largest n of which a data set of this size has enough)."""
    if study.splits != "disjoint":
        return 2 * n, size // 2
    if study.n_nonmembers:
        return 2 * (n + study.n_nonmembers), size // 2 - study.n_nonmembers
    return 4 * n, size // 4


def _check_shape(key: str, config: Config, study: Study) -> Iterator[str]:
    """Model, defenses and query sets against the shape of an input, where the data set's module states it."""
    dataset = config.datasets[study.dataset]
    shape, model = dataset.fact("SHAPE"), config.model_of(study)
    if shape and len(shape) != 3 and model and model.needs_images:
        yield f"{key}.model: {study.model}: needs images, {study.dataset} has inputs of shape {list(shape)}; use an mlp"
    if dataset.is_table and not study.is_given:
        yield (
            f"{key}.dataset: {study.dataset}: is a table, of which only given models are asked; to train on it, write "
            "its columns as numbers into a .npz file, or set splits: given"
        )
    if all(name in config.defenses for name in study.defenses):
        yield from check_trained(key, config, study, shape)
    for name in config.query_sets_of(study) if shape else []:
        query = config.queries[name]
        if why := query.refused_by(dataset):
            yield f"queries.{name}: {why}, or leave out the attacks that read it for {study.dataset}"
            continue
        if query.observation == "references" and not study.is_given:
            yield (
                f"queries.{name}: trains models like a given one, and {key} has shadows of its own; leave out the "
                "attacks that read it there"
            )
        if query.moves_images() and len(shape) != 3:
            yield f"queries.{name}: moves images, {study.dataset} has none; leave out the attacks that read it"
        lines = query.mistakes_on(study.dataset, dataset, shape)
        yield from (f"queries.{name}.{line}" for line in lines)
