"""The paper's tables and figures in a configuration: what their numbers and claims are computed from."""

from workflow.entries import attacks_of, gap_attack, rule_names, suggest, target_split, unknown

CHANCE = "chance"
TEST_ACCURACY = "test_accuracy"  # of the model, where else an attack is named
MAGNITUDES = {  # of each kind of query set, with the name that settings give them
    "rotation": ("degrees", "degrees"),
    "translation": ("pixels", "pixels"),
    "augmented": ("pixels", "pixels"),
    "gaussian": ("sigmas", "sigma"),
    "mixed": ("sigmas", "sigma"),
    "bernoulli": ("flips", "expected flips"),
}


def exhibit_cells(config, name):
    """One entry for each number of the paper, in its order, as `lmia.evaluation.paper_comparison.compare` takes it.

    `table` is the file with ours, None where this configuration has no such study.
    """
    cells = []
    for study_name, of_paper in config.exhibits[name].paper.items():
        study = config.studies.get(study_name)
        first = study.defenses[0] if study else "none"
        numbers = [(first, "", of_paper.test_accuracy, None)]
        numbers += [(first, attack, value, None) for attack, value in of_paper.accuracy.items()]
        numbers += [(first, attack, value, "variant") for attack, value in of_paper.variants.items()]
        numbers += [
            (defense, "" if attack == TEST_ACCURACY else attack, value, None)
            for defense, of in of_paper.under.items()
            for attack, value in of.items()
        ]
        cells += [
            {
                "table": study and f"results/tables/{study_name}.csv",
                "artifact": name,
                "dataset": study.dataset if study else study_name,
                "n_train": study.n_train[0] if study else of_paper.n_train,
                "attack": attack,
                "defense": defense,
                "paper": paper,
                "status": "other n" if study and _other_n(study, of_paper) else status,
                "remark": remark(config, study, attack, of_paper),
            }
            for defense, attack, paper, status in numbers
            if paper is not None
        ]
    return cells


def _other_n(study, of_paper):
    return of_paper.n_train not in (None, study.n_train[0])


def evaluated_points(study, n):
    """How many members, and as many non-members, of a model of n members are asked about."""
    return min(study.evaluated or n, n, study.n_nonmembers or n)


def remark(config, study, attack, of_paper):
    """What a reader must know to compare a number with the paper's."""
    if study is None:
        return of_paper.not_run
    remarks, n = [], study.n_train[0]
    if _other_n(study, of_paper):
        remarks.append(f"paper: n = {of_paper.n_train:,}")
    if study.splits == "halves":
        remarks.append("shadow trained on the target's non-members")
    if attack and (points := evaluated_points(study, n)) < n:
        remarks.append(f"{points} + {points} points")
    query = attack and config.queries[config.attacks[attack].reads]
    if query and query.kind == "hopskipjump":
        remarks.append(f"{query.schedule} search")
    if query and of_paper.queries.get(attack) not in (None, asked := _asked(query)):
        ours, theirs = asked and f"{asked:,} queries, ", f"paper: {of_paper.queries[attack]:,}"
        remarks.append(f"{ours}{theirs}" if ours else f"{theirs} queries")
    if query and getattr(query, "precision", "float32") != "float32":
        remarks.append(query.precision)
    return "; ".join(remarks)


def _asked(query):
    """How many labels of modified inputs are asked for at most, in one setting of a query set."""
    return query.budget if query.kind == "hopskipjump" else getattr(query, "samples", None)


def exhibit_claims(config, name):
    """One entry for each claim, attack, size and setting: its text, what it asks for, and the files of both sides."""
    claims = []
    for claim in config.exhibits[name].claims:
        for n in claim.n_train or config.studies[claim.study].n_train:
            for attack in claim.attacks:
                for against in claim.against or [attack]:
                    for setting in claim.settings:
                        sides = _sides(config, claim, attack, against, setting, n)
                        claims.append(
                            {
                                "claim": _text(claim, *sides, config.studies[claim.study].defenses[0]),
                                "at_least": claim.at_least,
                                "within": claim.within,
                                "sides": [_files(config, *side) for side in sides],
                            }
                        )
    return claims


def _sides(config, claim, attack, against, setting, n):
    """(study, attack, setting, n_train, defense) of what is compared, and of what it is compared with."""
    study = claim.against_study or claim.study
    defense = claim.defense or config.studies[claim.study].defenses[0]
    against_defense = claim.against_defense or (defense if study == claim.study else config.studies[study].defenses[0])
    same_setting = setting if against == attack and claim.against_setting is None else claim.against_setting or ""
    return [
        (claim.study, attack, setting, n, defense),
        (study, against, same_setting, claim.against_n_train or n, against_defense),
    ]


def _text(claim, side, other, usual):
    """What the paper says, and the difference that is computed for it; each side as far as it is not the same.

    usual: the defense that goes without saying.
    """
    names = []
    for study, attack, setting, n, defense in (side, other):
        parts = [setting] if setting else []
        parts += [study] if side[0] != other[0] else []
        parts += [f"n = {n:,}"] if side[3] != other[3] and attack != CHANCE else []
        parts += [defense] if {side[4], other[4]} != {usual} and attack != CHANCE else []
        names.append(f"{attack} ({', '.join(parts)})" if parts else attack)
    where = f", n = {side[3]:,}" if side[3] == other[3] else ""
    bound = f", at least {_points(claim.at_least)}" if claim.at_least else ""
    bound = bound if claim.within is None else f", within {_points(claim.within)}"
    return f"{claim.says}: {' minus '.join(names)}{where}{bound}"


def _points(number):
    return f"{number:g} point{'' if abs(number) == 1 else 's'}"


def _files(config, study, attack, setting, n, defense):
    seeds = config.studies[study].seeds if attack != CHANCE else []
    of_model = attack == TEST_ACCURACY
    attack = gap_attack(config, config.studies[study]) if of_model else attack
    runs = [f"{study}/n{n}-{defense}/{block}" for block in seeds]
    scores = [f"results/scores/{run}/{attack}.npz" for run in runs]
    return {
        "scores": scores,
        "measures": [f"results/measures/{run}/{attack}.csv" for run in runs],
        "model_measures": [f"results/model_measures/{run}.csv" for run in runs],
        "splits": [target_split(config, path) for path in scores],
        "setting": setting,
        "of_model": of_model,
    }


def check_exhibits(config, known_studies=()):
    """Lines for what cannot be compared. known_studies: of the configuration, those that were taken out included."""
    for name, exhibit in config.exhibits.items():
        key = f"exhibits.{name}"
        if name in rule_names():
            yield f"{key}: {name}: is the name of a rule; choose another"
        for figure in exhibit.figures:
            if figure not in config.figures:
                yield unknown(f"{key}.figures", figure, config.figures, "figures")
        for study, cells in exhibit.paper.items():
            if study in config.studies:
                yield from _check_cells(f"{key}.paper.{study}", config, study, cells)
            elif study not in known_studies:
                yield unknown(f"{key}.paper", study, config.studies, "studies")
        for number, claim in enumerate(exhibit.claims):
            yield from _check_claim(f"{key}.claims.{number}", config, claim)


def _check_cells(key, config, study, cells):
    entry = config.studies[study]
    if len(entry.n_train) > 1:
        yield f"{key}: {study}: has {len(entry.n_train)} sizes; the paper's numbers need a study of one"
    for field in ("accuracy", "variants"):
        yield from _check_names(f"{key}.{field}", getattr(cells, field), attacks_of(config, entry), study)
    yield from _check_names(f"{key}.queries", cells.queries, attacks_of(config, entry), study)
    for defense, numbers in cells.under.items():
        if defense not in entry.defenses:
            yield unknown(f"{key}.under", defense, entry.defenses, f"the defenses of {study}")
        names = [name for name in numbers if name != TEST_ACCURACY]
        yield from _check_names(f"{key}.under.{defense}", names, attacks_of(config, entry), study)


def _check_names(key, names, offered, study):
    for name in names:
        if name not in offered:
            yield unknown(key, name, offered, f"the attacks of {study}")


def _check_claim(key, config, claim):
    for field in ("study", "against_study"):
        if (study := getattr(claim, field)) is not None and study not in config.studies:
            yield unknown(f"{key}.{field}", study, config.studies, "studies")
            return
    other = claim.against_study or claim.study
    yield from _check_side(f"{key}.", config, claim.study, claim.attacks, claim.settings, claim.n_train, claim.defense)
    against = [attack for attack in claim.against or claim.attacks if attack != CHANCE]
    settings = [claim.against_setting or ""]
    sizes = [claim.against_n_train or n for n in claim.n_train or config.studies[claim.study].n_train]
    yield from _check_side(f"{key}.against_", config, other, against, settings, sizes, claim.against_defense)
    blocks = [config.studies[name].seeds for name in (claim.study, other)]
    if blocks[0] != blocks[1] and CHANCE not in claim.against:
        yield f"{key}.against_study: {other}: has other seeds than {claim.study}; margins are taken seed by seed"
    same = (claim.against_study, claim.against_setting, claim.against_n_train, claim.against_defense)
    if same == (None,) * 4 and set(claim.attacks) & set(claim.against or claim.attacks):
        yield f"{key}.against: {', '.join(against)}: an attack against itself; name another, or another size or setting"


def _check_side(key, config, study, attacks, settings, sizes, defense):
    entry = config.studies[study]
    if TEST_ACCURACY in attacks and gap_attack(config, entry) is None:
        yield f"{key}attacks: {TEST_ACCURACY}: is read from the gap attack, which {study} does not run; add one"
    attacks = [name for name in attacks if name != TEST_ACCURACY]
    yield from _check_names(f"{key}attacks", attacks, attacks_of(config, entry), study)
    for attack in attacks if all(name in config.attacks for name in attacks) else []:
        for setting in settings:
            if setting not in (offered := settings_of(config, attack)):
                yield f"{key}settings: {setting}: {attack} has no such setting; {suggest(setting, offered)}"
    for n in sizes or []:
        if n not in entry.n_train:
            yield f"{key}n_train: {n}: {study} has only {', '.join(map(str, entry.n_train))}; name one of these"
    if defense not in (None, *entry.defenses):
        yield unknown(f"{key}defense", defense, entry.defenses, f"the defenses of {study}")


def settings_of(config, attack):
    """The settings that an attack is reported in, as metrics.csv names them: "" is as it is meant to be run."""
    entry = config.attacks[attack]
    query = config.queries[entry.reads]
    field, unit = MAGNITUDES.get(query.kind, (None, ""))
    magnitudes = [f"{unit}={value:g}" for value in getattr(query, field)] if field else []
    return ["", *(f"budget={budget}" for budget in entry.budgets), *magnitudes]
