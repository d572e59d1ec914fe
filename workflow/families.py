"""Defenses as figures group them: by kind, and within one by strength."""

STRENGTHS = {  # the option of each kind that says how strong it is
    "l1": "strength",
    "l2": "strength",
    "dropout": "rate",
    "weight_decay": "strength",
    "early_stopping": "epochs",
    "label_smoothing": "amount",
    "mixup": "alpha",
    "augmentation": "pixels",
    "adversarial_regularization": "strength",
    "dp_sgd": "noise",
    "top_k": "k",
    "rounding": "decimals",
}
WEAKER_AS_THEY_GROW = ("epsilon", "epochs", "k", "decimals")


def family(entry):
    """What a defense is called together with those that differ in their strength alone."""
    kind = f"{entry.kind} by noise" if getattr(entry, "noise", None) else entry.kind  # not on one axis with epsilons
    tuned = getattr(entry, "source", None) and f"{entry.tune} layer{'' if entry.tune == 'last' else 's'} transferred"
    if entry.kind == "transfer":
        return tuned
    if entry.kind == "augmentation" and entry.views == "random":
        return "random augmentation"
    return f"{kind}, {tuned}" if tuned else kind


def strength(entry):
    """(option, number) of a defense, (None, None) where its kind has none."""
    option = STRENGTHS.get(entry.kind)
    if entry.kind == "dp_sgd" and entry.epsilon is not None:
        option = "epsilon"
    return option, (getattr(entry, option) if option else None)


def strengths(config, study, chosen):
    """Defense -> number on the axis, for those of the study in one family.

    "none" joins them at 0 where that is no defense: not in families whose strength falls as their number grows.
    """
    entries = {name: config.defenses[name] for name in study.defenses}
    found = {name: strength(entry) for name, entry in entries.items() if family(entry) == chosen}
    from_zero = not any(option in WEAKER_AS_THEY_GROW for option, _ in found.values())
    start = {name: 0.0 for name, entry in entries.items() if from_zero and entry.kind == "none"}
    return start | {name: number for name, (_, number) in found.items()}


def families(config, study):
    """Defense -> [family, what its strength reads, rank of that strength in its family from weak to strong]."""
    entries = {name: config.defenses[name] for name in study.defenses}
    ranks = {name: (family(entry), _signed(*strength(entry))) for name, entry in entries.items()}
    found = {}
    for name, entry in entries.items():
        (kind, own), number = ranks[name], strength(entry)[1]
        weaker = sum(other == kind and value < own for other, value in ranks.values())
        found[name] = [kind, "" if number is None else f"{number:g}", weaker]
    return found


def _signed(option, number):
    """A number that grows with the strength."""
    return -(number or 0) if option in WEAKER_AS_THEY_GROW else number or 0
