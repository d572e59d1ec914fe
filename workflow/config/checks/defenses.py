"""Whether a defense can be trained: its own options, the study that it starts from, and what its studies train."""

import math
from collections.abc import Iterator, Sequence

from workflow.config.messages import unknown
from workflow.config.schema.configuration import Config
from workflow.config.schema.defenses import DpSgd
from workflow.config.schema.studies import Study

MOST_UNTRAINED = 0.05  # share of untrained weights in the mean that dp_sgd releases


def check_defenses(config: Config) -> Iterator[str]:
    for name, defense in config.defenses.items():
        base = config.trained_with(name)
        if base not in config.defenses:
            yield unknown(f"defenses.{name}.over", base, config.defenses, "defenses")
        elif config.defenses[base].masks_only:
            yield f"defenses.{name}.over: {base}: only masks answers too; name a defense that models are trained with"
        source = defense.source_study()
        if source is not None and source not in config.studies:
            yield unknown(f"defenses.{name}.source", source, config.studies, "studies")


def check_trained(key: str, config: Config, study: Study, shape: Sequence[int] | None) -> Iterator[str]:
    """The study's defenses, against its model and the shape of an input (None: unknown)."""
    for base in [base for name in study.defenses if (base := config.trained_with(name)) in config.defenses]:
        name, defense = base, config.defenses[base]
        if defense.moves_images() and shape and len(shape) != 3:
            yield f"{key}.defenses: {name}: moves images, {study.dataset} has none; choose another"
        model = config.model_of(study)
        if defense.is_private and getattr(model, "norm", None) == "batch":
            yield f"models.{study.model}.norm: batch: mixes examples, so {name} cannot train it; set norm: group"
        if isinstance(defense, DpSgd) and study.n_train:  # also with a source, as the last layer is new
            yield from _check_average(name, defense, study)
        if defense.kind == "weight_decay" and study.training.optimizer == "sgd":
            yield (
                f"defenses.{name}: decays weights apart from the loss, which adam does, and {key}.training.optimizer "
                "is sgd; choose adam, or an l2 defense"
            )
        if defense.needs_reference:
            yield from _check_reference(name, config, study)
        if (source := defense.source_study()) in config.studies:
            lines = [*_check_source(config, study, source, shape)]
            lines += _check_unseen(config, study, source, defense.is_private)
            yield from (f"defenses.{name}.source: {source}: {line}" for line in lines)


def _check_average(name: str, defense: DpSgd, study: Study) -> Iterator[str]:
    """The mean of the weights begins with untrained ones: where these count, a model looks private that is no model."""
    n = min(study.n_train)
    steps = defense.epochs * max(1, round(n / defense.batch_size))
    if (share := defense.average**steps) > MOST_UNTRAINED:
        least = MOST_UNTRAINED ** (1 / steps)
        yield (
            f"defenses.{name}.average: {defense.average}: after {steps} steps with {n} members, untrained weights are "
            f"still {share:.1%} of the mean; use at most {math.floor(least * 1000) / 1000:g}, or more epochs"
        )


def _check_reference(name: str, config: Config, study: Study) -> Iterator[str]:
    """Reference points are what members and non-members leave; half as many as members are the least for the game."""
    size = config.datasets[study.dataset].fact("N_EXAMPLES") if study.dataset in config.datasets else None
    if not size:
        return
    for n in study.n_train:
        left = size - n - (study.n_nonmembers or n)
        if left < n // 2:
            how = "halves" if study.splits == "halves" else f"{n} members"
            yield (
                f"defenses.{name}: learns from points beside members and non-members, of which {how} leave {left} of "
                f"the {size} of {study.dataset}; use a smaller n_train"
            )


def _check_unseen(config: Config, study: Study, source_name: str, is_private: bool) -> Iterator[str]:
    """Nothing that training starts from may have seen a member, or what is to be a non-member, before."""
    own = config.datasets.get(study.dataset)
    wrong = "epsilon does not count" if is_private else "non-members may have been members of"
    for name in _sources(config, source_name):
        if own is not None and config.datasets.get(config.studies[name].dataset) == own:
            yield f"{name} was trained on {study.dataset} too, which {wrong}; name a study of another data set"


def _check_source(config: Config, study: Study, source_name: str, shape: Sequence[int] | None) -> Iterator[str]:
    source = config.studies[source_name]
    if source.model != study.model:
        yield f"has model {source.model}, not {study.model}; both need the same"
    other = config.datasets[source.dataset].fact("SHAPE") if source.dataset in config.datasets else None
    if shape and other and tuple(other) != tuple(shape):
        yield f"has inputs of shape {list(other)}, {study.dataset} of {list(shape)}; both need the same"
    seen = _sources(config, source_name)
    last = config.defenses.get(config.studies[seen[-1]].defenses[0])
    if (last and last.source_study()) in seen or any(config.studies[name] is study for name in seen):
        yield f"starts from itself in the end ({', '.join(seen)}); let the first defense of one have no source"


def _sources(config: Config, name: str | None) -> list[str]:
    """Names of a study, of the one that its first model starts from, and so on, each once."""
    seen = []
    while name in config.studies and name not in seen:
        seen.append(name)
        first = config.defenses.get(config.studies[name].defenses[0])
        name = first and first.source_study()
    return seen
