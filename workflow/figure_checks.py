"""Whether a figure can be drawn: its studies, and what it shows of them."""

from workflow.entries import attacks_of, observation, stops_early, suggest, unknown
from workflow.exhibits import settings_of
from workflow.families import family, strengths

OVER_DEFENSES = ("strengths", "tradeoff", "outliers")  # kinds that show all defenses of a study


def check_figures(config):
    for name, figure in config.figures.items():
        key = f"figures.{name}"
        if figure.study not in config.studies:
            yield unknown(f"{key}.study", figure.study, config.studies, "studies")
            continue
        yield from _check_texts(key, figure)
        yield from _check_joined(key, config, figure)
        yield from _check_cell(key, figure, config.studies[figure.study])
        yield from _check_shown(key, config, figure)
        if figure.kind in OVER_DEFENSES:
            yield from _check_defended(key, config, figure)
        if figure.kind == "gallery" and not figure.queries:
            yield f"{key}.queries: []: a gallery shows query sets; name at least one"
        for query in figure.queries:
            if query not in config.queries:
                yield unknown(f"{key}.queries", query, config.queries, "queries")
            elif observation(config.queries[query]) != "labels" or config.queries[query].kind == "original":
                yield f"{key}.queries: {query}: has no perturbed inputs to show; name query sets that perturb"


def _check_texts(key, figure):
    """Free texts: TeX in them must be some. Units of plug-ins are drawn as they are, and names have no $."""
    for field in ("title", "axis"):
        text = getattr(figure, field)
        if "$" not in text:  # or each plan would wait for matplotlib
            continue
        from lmia.figures import bars, style

        drawn = bars.wrapped(text) if figure.kind == "bars" else text
        if fault := style.tex_fault(drawn):
            yield f"{key}.{field}: {text}: what stands between two $ is no TeX ({fault}); write a dollar as \\$"


def _check_joined(key, config, figure):
    """Studies that share a curve."""
    if figure.kind != "sizes":
        if figure.studies:
            yield f"{key}.studies: {', '.join(figure.studies)}: only sizes join studies; remove it"
        return
    if figure.n_train is not None:
        yield f"{key}.n_train: {figure.n_train}: sizes show all; remove it"
    first, seen = config.studies[figure.study], set(config.studies[figure.study].n_train)
    for name in figure.studies:
        if name not in config.studies:
            yield unknown(f"{key}.studies", name, config.studies, "studies")
            continue
        study = config.studies[name]
        if (study.dataset, study.model) != (first.dataset, first.model):
            yield f"{key}.studies: {name}: another data set or model than {figure.study}; one curve is of one"
        if both := seen & set(study.n_train):
            yield f"{key}.studies: {name}: n_train {min(both)} is in another of these studies too; name it once"
        seen |= set(study.n_train)


def _check_shown(key, config, figure):
    """The attacks of a figure: its study must run them, and they must have what the figure shows."""
    offered = attacks_of(config, config.studies[figure.study])
    for field in ("attacks", "lines"):
        for attack in getattr(figure, field) or []:
            if attack not in offered:
                yield unknown(f"{key}.{field}", attack, offered, f"the attacks of {figure.study}")
    shown = [attack for attack in figure.attacks or offered if attack in offered]
    if figure.kind == "histogram" and len(shown) != 1:
        yield f"{key}.attacks: {', '.join(shown)}: a histogram shows one attack; name one"
    for attack in shown if figure.kind in ("roc", "histogram") else []:
        if stops_early(config.queries[config.attacks[attack].reads]):
            yield f"{key}.attacks: {attack}: reads searches that stop early, so its scores have no order; leave it out"
    for attack in shown if figure.kind == "sweep" else []:
        reads = config.attacks[attack].reads
        if observation(config.queries[reads]) != "labels" or config.queries[reads].kind == "original":
            yield f"{key}.attacks: {attack}: reads {reads}, without magnitudes to sweep; name others"


def shows_all(kind, field):
    """Whether a kind of figure shows all sizes or defenses of a study."""
    return kind in ("bars", "sizes", "gallery") or (kind in OVER_DEFENSES and field == "defense")


def _check_defended(key, config, figure):
    """Figures over the defenses of a study."""
    study = config.studies[figure.study]
    found = list(dict.fromkeys(family(config.defenses[name]) for name in study.defenses if name in config.defenses))
    if figure.defense is not None:
        yield f"{key}.defense: {figure.defense}: {figure.kind} shows all; remove it"
    if figure.kind != "strengths":
        if len(figure.attacks or []) != 1:
            yield f"{key}.attacks: {figure.attacks}: {figure.kind} shows one attack; name one"
        if figure.kind == "outliers" and study.outliers is None:
            yield f"{key}.study: {figure.study}: measures no outliers; give it outliers:"
        return
    for attack in [a for a in figure.attacks or attacks_of(config, study) if a in config.attacks]:
        for setting in figure.settings:
            if setting not in (offered := settings_of(config, attack)):
                yield f"{key}.settings: {setting}: {attack} has no such setting; {suggest(setting, offered)}"
    numbers = strengths(config, study, figure.family).values()
    if figure.family not in found:
        yield unknown(f"{key}.family", figure.family, found, f"the defenses of {figure.study}")
    elif None in numbers:
        yield f"{key}.family: {figure.family}: has no strength to draw along; choose another"
    if figure.scale == "log" and 0 in numbers:
        yield f"{key}.scale: log: has no place for strength 0; use linear, or leave none out of the study"


def _check_cell(key, figure, study):
    """Figures of single models must say which, where a study has several."""
    for field, offered in (("n_train", study.n_train), ("defense", study.defenses)):
        chosen, names = getattr(figure, field), ", ".join(map(str, offered))
        if chosen is not None and chosen not in offered:
            yield f"{key}.{field}: {chosen}: {figure.study} has only {names}; choose one of these"
        elif chosen is None and len(offered) > 1 and not shows_all(figure.kind, field):
            yield f"{key}.{field}: missing; {figure.study} has {names}: choose one of these"
    if figure.defenses and (figure.kind != "bars" or figure.defense is not None):
        yield f"{key}.defenses: only bars show several, and no `defense` beside them; remove it"
    for defense in figure.defenses:
        if defense not in study.defenses:
            yield unknown(f"{key}.defenses", defense, study.defenses, f"the defenses of {figure.study}")
