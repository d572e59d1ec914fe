"""Whether a study can be drawn, trained and asked: its sizes, seeds and shapes."""

from lmia.streams import seed_list
from workflow.config.checks.defenses import check_trained
from workflow.config.messages import unknown

MAX_SEEDS = 10_000


def check_studies(config):
    for name, study in config.studies.items():
        key = f"studies.{name}"
        for field, section in (("dataset", config.datasets), ("model", config.models)):
            if getattr(study, field) not in section:
                yield unknown(f"{key}.{field}", getattr(study, field), section, f"{field}s")
        for defense in study.defenses:
            if defense not in config.defenses:
                yield unknown(f"{key}.defenses", defense, config.defenses, "defenses")
        for attack in study.attacks or []:
            if attack not in config.attacks:
                yield unknown(f"{key}.attacks", attack, config.attacks, "attacks")
        yield from _check_seeds(key, study)
        yield from _check_folds(config, study)
        yield from _check_outliers(key, study)
        if study.dataset in config.datasets:
            yield from _check_size(key, study, config.datasets[study.dataset])
            yield from _check_shape(key, config, study)


def _check_seeds(key, study):
    seen = set()
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


def _check_outliers(key, study):
    n = 2 * min(min(study.evaluated or n, n, study.n_nonmembers or n) for n in study.n_train)
    if study.outliers and study.outliers.neighbours >= n:
        yield f"{key}.outliers.neighbours: {study.outliers.neighbours}: only {n} points are evaluated; lower it"


def _check_folds(config, study):
    n = min(study.n_train)
    members = min(study.evaluated or n, n, study.n_nonmembers or n) * study.shadows
    for name in config.attacks_of(study):
        folds = getattr(config.attacks.get(name), "folds", 0)
        if isinstance(folds, int) and folds > members:
            yield f"attacks.{name}.folds: {folds}: more than the shadow's {members} members that are asked about"


def _check_size(key, study, dataset):
    """n_train against the data set's size, where its module states that as N_EXAMPLES."""
    size, halves = dataset.fact("N_EXAMPLES"), study.splits == "halves"
    for n in study.n_train:
        other = study.n_nonmembers and not halves
        needed = 2 * n if halves else 2 * (n + (study.n_nonmembers or n))
        most = size and (size // 2 - study.n_nonmembers if other else size * n // needed)
        if size and needed > size:
            yield (
                f"{key}.n_train: {n}: {'two' if halves else 'four'} disjoint splits need {needed} examples, "
                f"{study.dataset} has {size}; use at most {most}"
            )
    if halves and study.n_nonmembers:
        yield f"{key}.n_nonmembers: {study.n_nonmembers}: halves have as many as members; remove it"
    if halves and study.shadows > 1:
        yield f"{key}.shadows: {study.shadows}: halves leave data for one shadow; set it to 1, or splits: disjoint"


def _check_shape(key, config, study):
    """Model, defenses and query sets against the shape of an input, where the data set's module states it."""
    shape = config.datasets[study.dataset].fact("SHAPE")
    model = config.models.get(study.model)
    if shape and len(shape) != 3 and model and model.needs_images:
        yield f"{key}.model: {study.model}: needs images, {study.dataset} has inputs of shape {list(shape)}; use an mlp"
    if all(name in config.defenses for name in study.defenses):
        yield from check_trained(key, config, study, shape)
    names = {config.attacks[name].reads for name in config.attacks_of(study) if name in config.attacks}
    for name in sorted(names & config.queries.keys()) if shape else []:
        query = config.queries[name]
        if query.moves_images() and len(shape) != 3:
            yield f"queries.{name}: moves images, {study.dataset} has none; leave out the attacks that read it"
        lines = query.mistakes_on(study.dataset, config.datasets[study.dataset], shape)
        yield from (f"queries.{name}.{line}" for line in lines)
