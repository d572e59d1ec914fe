"""Whether the paper's numbers and claims can be compared with what a configuration runs."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from lmia.evaluation.tpr_names import fpr_of, tpr_name
from workflow.config.exhibit_inputs import CHANCE, TEST_ACCURACY
from workflow.config.messages import suggest, unknown
from workflow.config.schema.configuration import Config
from workflow.config.schema.exhibits import Claim, PaperNumbers
from workflow.harness.fingerprint import ROOT


class Compared(NamedTuple):
    """What one side of a claim names."""

    study: str
    attacks: Sequence[str]
    settings: Sequence[str]
    n_train: Sequence[int]
    defense: str | None


def _rule_names() -> set[str]:
    """Names that Snakemake already has."""
    files = (ROOT / "workflow/rules").glob("*.smk")
    return {"all", *(name for file in files for name in re.findall(r"^rule (\w+):", file.read_text(), re.M))}


def check_exhibits(config: Config, known_studies: Collection[str] = ()) -> Iterator[str]:
    """Lines for what cannot be compared. known_studies: of the configuration, those that were taken out included."""
    for name, exhibit in config.exhibits.items():
        key = f"exhibits.{name}"
        if name in _rule_names():
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
            yield from _check_metric_and_bounds(f"{key}.claims.{number}", claim)
            yield from _check_claim(f"{key}.claims.{number}", config, claim)


def _check_cells(key: str, config: Config, study: str, cells: PaperNumbers) -> Iterator[str]:
    entry = config.studies[study]
    if len(entry.n_train) > 1:
        yield f"{key}: {study}: has {len(entry.n_train)} sizes; the paper's numbers need a study of one"
    for field in ("accuracy", "variants"):
        yield from _check_names(f"{key}.{field}", getattr(cells, field), config.attacks_of(entry), study)
    yield from _check_names(f"{key}.queries", cells.queries, config.attacks_of(entry), study)
    for defense, numbers in cells.under.items():
        if defense not in entry.defenses:
            yield unknown(f"{key}.under", defense, entry.defenses, f"the defenses of {study}")
        names = [name for name in numbers if name != TEST_ACCURACY]
        yield from _check_names(f"{key}.under.{defense}", names, config.attacks_of(entry), study)


def _check_names(key: str, names: Collection[str], offered: Collection[str], study: str) -> Iterator[str]:
    for name in names:
        if name not in offered:
            yield unknown(key, name, offered, f"the attacks of {study}")


def _check_metric_and_bounds(key: str, claim: Claim) -> Iterator[str]:
    for metric in claim.metric:
        fpr = fpr_of(metric)
        if metric not in ("accuracy", "auc") and (fpr is None or not 0 < fpr < 1 or tpr_name(fpr) != metric):
            yield (
                f"{key}.metric: {metric}: expected accuracy, auc, or tpr_at_F_fpr for a rate F between 0 and 1, as "
                "tpr_at_0.1_fpr; write one of these"
            )
        elif metric != "accuracy" and TEST_ACCURACY in (*claim.attacks, *claim.against):
            yield f"{key}.metric: {metric}: {TEST_ACCURACY} has none; leave metric out"
    given = [name for name in ("at_least", "within", "between") if getattr(claim, name) not in (None, 0)]
    if claim.between is not None and claim.between[0] > claim.between[1]:
        yield f"{key}.between: {claim.between[0]:g}, {claim.between[1]:g}: expected the fewer points first; swap them"
    if len(given) > 1:
        yield f"{key}.{given[1]}: {getattr(claim, given[1])}: {given[0]} is given too, and a claim has one; remove one"


def _check_claim(key: str, config: Config, claim: Claim) -> Iterator[str]:
    for field in ("study", "against_study"):
        if (study := getattr(claim, field)) is not None and study not in config.studies:
            yield unknown(f"{key}.{field}", study, config.studies, "studies")
            return
    other = claim.against_study or claim.study
    for name in [name for name in (claim.study, other) if config.studies[name].is_pool]:
        yield f"{key}.study: {name}: models of a pool are no independent seeds; see results/differences/{name}/"
        return
    sizes = claim.n_train or []
    side = Compared(claim.study, claim.attacks, claim.settings, sizes, claim.defense)
    yield from _check_side(f"{key}.", config, side)
    against = [attack for attack in claim.against or claim.attacks if attack != CHANCE]
    sizes = [claim.against_n_train or n for n in claim.n_train or config.studies[claim.study].n_train]
    side = Compared(other, against, [claim.against_setting or ""], sizes, claim.against_defense)
    yield from _check_side(f"{key}.against_", config, side)
    blocks = [config.studies[name].seeds for name in (claim.study, other)]
    if blocks[0] != blocks[1] and CHANCE not in claim.against:
        yield f"{key}.against_study: {other}: has other seeds than {claim.study}; margins are taken seed by seed"
    same = (claim.against_study, claim.against_setting, claim.against_n_train, claim.against_defense)
    if same == (None,) * 4 and set(claim.attacks) & set(claim.against or claim.attacks):
        yield f"{key}.against: {', '.join(against)}: an attack against itself; name another, or another size or setting"


def _check_side(key: str, config: Config, side: Compared) -> Iterator[str]:
    study, entry = side.study, config.studies[side.study]
    of_attacks, of_settings = ("attacks", "settings") if key.endswith(".") else ("against", "against_setting")
    names = key.removesuffix("against_")
    if TEST_ACCURACY in side.attacks and config.gap_attack(entry) is None:
        yield f"{names}{of_attacks}: {TEST_ACCURACY}: is read from the gap attack, which {study} does not run; add one"
    attacks = [name for name in side.attacks if name != TEST_ACCURACY]
    yield from _check_names(f"{names}{of_attacks}", attacks, config.attacks_of(entry), study)
    for attack in attacks if all(name in config.attacks for name in attacks) else []:
        for setting in side.settings:
            if setting not in (offered := config.settings_of(attack)):
                yield f"{names}{of_settings}: {setting}: {attack} has no such setting; {suggest(setting, offered)}"
    for n in side.n_train:
        if n not in entry.n_train:
            yield f"{key}n_train: {n}: {study} has only {', '.join(map(str, entry.n_train))}; name one of these"
    if side.defense not in (None, *entry.defenses):
        yield unknown(f"{key}defense", side.defense, entry.defenses, f"the defenses of {study}")
