"""Whether a figure can be drawn: its studies, and what it shows of them."""

from workflow.entries import attacks_of, observation, stops_early, suggest, unknown
from workflow.exhibits import settings_of
from workflow.families import family, strengths
from workflow.schema_figures import Bars, Gallery, Histogram, OnOutliers, Sizes, Strengths, Sweep, Tradeoff


def check_figures(config):
    for name, figure in config.figures.items():
        key = f"figures.{name}"
        if figure.study not in config.studies:
            yield unknown(f"{key}.study", figure.study, config.studies, "studies")
            continue
        yield from _check_texts(key, figure)
        yield from _check_models(key, figure, config.studies[figure.study])
        if isinstance(figure, Gallery):
            yield from _check_queries(key, config, figure)
            continue
        yield from _check_attacks(key, config, figure)
        if isinstance(figure, Bars):
            yield from _check_bars(key, figure, config.studies[figure.study])
        if isinstance(figure, Sizes):
            yield from _check_joined(key, config, figure)
        if isinstance(figure, Strengths):
            yield from _check_strengths(key, config, figure)
        if isinstance(figure, Tradeoff | OnOutliers) and len(figure.attacks or []) != 1:
            yield f"{key}.attacks: {figure.attacks}: {figure.kind} shows one attack; name one"
        if isinstance(figure, OnOutliers) and config.studies[figure.study].outliers is None:
            yield f"{key}.study: {figure.study}: measures no outliers; give it outliers:"


def _check_texts(key, figure):
    """Free texts: TeX in them must be some. Units of plug-ins are drawn as they are, and names have no $."""
    for field in {"title", "axis"} & type(figure).model_fields.keys():
        text = getattr(figure, field)
        if "$" not in text:  # or each plan would wait for matplotlib
            continue
        from lmia.figures import bars, style

        drawn = bars.wrapped(text) if isinstance(figure, Bars) else text
        if fault := style.tex_fault(drawn):
            yield f"{key}.{field}: {text}: what stands between two $ is no TeX ({fault}); write a dollar as \\$"


def _check_models(key, figure, study):
    """Figures of single models must say which, where a study has several."""
    for field, offered in (("n_train", study.n_train), ("defense", study.defenses)):
        if field not in type(figure).model_fields:
            continue
        chosen, names = getattr(figure, field), ", ".join(map(str, offered))
        if chosen is not None and chosen not in offered:
            yield f"{key}.{field}: {chosen}: {figure.study} has only {names}; choose one of these"
        elif chosen is None and len(offered) > 1 and field not in figure.all_at_once:
            yield f"{key}.{field}: missing; {figure.study} has {names}: choose one of these"


def _check_queries(key, config, figure):
    for query in figure.queries:
        if query not in config.queries:
            yield unknown(f"{key}.queries", query, config.queries, "queries")
        elif not _perturbs(config.queries[query]):
            yield f"{key}.queries: {query}: has no perturbed inputs to show; name query sets that perturb"


def _perturbs(query):
    return observation(query) == "labels" and query.kind != "original"


def _check_attacks(key, config, figure):
    """The attacks of a figure: its study must run them, and they must have what the figure shows."""
    offered = attacks_of(config, config.studies[figure.study])
    for field in ("attacks", "lines"):
        for attack in getattr(figure, field, None) or []:
            if attack not in offered:
                yield unknown(f"{key}.{field}", attack, offered, f"the attacks of {figure.study}")
    shown = [attack for attack in figure.attacks or offered if attack in offered]
    if isinstance(figure, Histogram) and len(shown) != 1:
        yield f"{key}.attacks: {', '.join(shown)}: a histogram shows one attack; name one"
    for attack in shown if figure.drawn_from == "scores" else []:
        if stops_early(config.queries[config.attacks[attack].reads]):
            yield f"{key}.attacks: {attack}: reads searches that stop early, so its scores have no order; leave it out"
    for attack in shown if isinstance(figure, Sweep) else []:
        if not _perturbs(config.queries[reads := config.attacks[attack].reads]):
            yield f"{key}.attacks: {attack}: reads {reads}, without magnitudes to sweep; name others"


def _check_bars(key, figure, study):
    if figure.defenses and figure.defense is not None:
        yield f"{key}.defenses: {', '.join(figure.defenses)}: there is a `defense` beside them; remove one of the two"
    for defense in figure.defenses:
        if defense not in study.defenses:
            yield unknown(f"{key}.defenses", defense, study.defenses, f"the defenses of {figure.study}")


def _check_joined(key, config, figure):
    """Studies that share a curve."""
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


def _check_strengths(key, config, figure):
    """Defenses along an axis, and the settings in which attacks are shown."""
    study = config.studies[figure.study]
    found = list(dict.fromkeys(family(config.defenses[name]) for name in study.defenses if name in config.defenses))
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
