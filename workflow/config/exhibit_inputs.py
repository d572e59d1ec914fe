"""The paper's tables and figures in a configuration: what their numbers and claims are computed from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from workflow.config.result_files import target_split
from workflow.config.schema.configuration import Config
from workflow.config.schema.exhibits import Claim, PaperNumbers
from workflow.config.schema.studies import Study

CHANCE = "chance"
TEST_ACCURACY = "test_accuracy"  # of the model, where else an attack is named


def exhibit_numbers(config: Config, name: str) -> list[dict[str, Any]]:
    """One entry for each number of the paper, in its order, as `paper_comparison.compare_numbers` takes it.

    `table` is the file with ours, None where this configuration has no such study.
    """
    cells = []
    for study_name, of_paper in config.exhibits[name].paper.items():
        study = config.studies.get(study_name)
        cells += [
            {
                "table": study and f"results/tables/{study_name}.csv",
                "artifact": name,
                "dataset": study_name,  # as two studies of one data set differ
                "n_train": study.n_train[0] if study else of_paper.n_train,
                "attack": attack,
                "defense": defense,
                "paper": paper,
                "status": status or ("other n" if study and _other_n(study, of_paper) else None),
                "remark": remark(config, study, attack, of_paper),
            }
            for defense, attack, paper, status in _numbers(study.defenses[0] if study else "none", of_paper)
        ]
    return cells


def _numbers(usual: str, of_paper: PaperNumbers) -> Iterator[tuple[str, str, float, str | None]]:
    """(defense, attack or "" for the model, the paper's number, status) of each number that the paper has."""
    if of_paper.test_accuracy is not None:
        yield usual, "", of_paper.test_accuracy, None
    yield from ((usual, attack, value, None) for attack, value in of_paper.accuracy.items())
    yield from ((usual, attack, value, "variant") for attack, value in of_paper.variants.items())
    for defense, of in of_paper.under.items():
        yield from ((defense, "" if attack == TEST_ACCURACY else attack, value, None) for attack, value in of.items())


def _other_n(study: Study, of_paper: PaperNumbers) -> bool:
    return of_paper.n_train not in (None, study.n_train[0])


def evaluated_points(study: Study, n: int) -> int:
    """How many members, and as many non-members, of a model of n members are asked about."""
    return min(study.evaluated or n, n, study.n_nonmembers or n)


def remark(config: Config, study: Study | None, attack: str, of_paper: PaperNumbers) -> str:
    """What a reader must know to compare a number with the paper's."""
    if study is None:
        return of_paper.not_run
    remarks, n = [], study.n_train[0]
    if _other_n(study, of_paper):
        remarks.append(f"paper: n = {of_paper.n_train:,}")
    if study.splits == "halves":
        remarks.append("shadow trained on the target's non-members")
    if attack and not study.is_given and (points := evaluated_points(study, n)) < n:
        remarks.append(f"{points} + {points} points")
    if attack:
        remarks += config.query_of(attack).remarks(of_paper.queries.get(attack))
    return "; ".join(remarks)


@dataclass(frozen=True)
class Side:
    """What a claim compares: an attack in one of its settings, on the models of one cell of a study."""

    study: str
    attack: str
    setting: str
    n_train: int
    defense: str

    def label(self, other: "Side", usual: str) -> str:
        """The attack, and what of it is not as on the other side. usual: the defense that goes without saying."""
        parts = [self.setting] if self.setting else []
        parts += [self.study] if self.study != other.study else []
        if self.attack != CHANCE:
            parts += [f"n = {self.n_train:,}"] if self.n_train != other.n_train else []
            parts += [self.defense] if {self.defense, other.defense} != {usual} else []
        return f"{self.attack} ({', '.join(parts)})" if parts else self.attack

    def files(self, config: Config) -> dict[str, Any]:
        """Paths of what its numbers are read from, and how to read them."""
        seeds = config.studies[self.study].seeds if self.attack != CHANCE else []
        of_model = self.attack == TEST_ACCURACY
        attack = config.gap_attack(config.studies[self.study]) if of_model else self.attack
        blocks = [f"{self.study}/n{self.n_train}-{self.defense}/{block}" for block in seeds]
        scores = [f"results/scores/{block}/{attack}.npz" for block in blocks]
        return {
            "scores": scores,
            "measures": [f"results/measures/{block}/{attack}.csv" for block in blocks],
            "model_measures": [f"results/model_measures/{block}.csv" for block in blocks],
            "splits": [target_split(config, path) for path in scores],
            "setting": self.setting,
            "of_model": of_model,
        }


def exhibit_claims(config: Config, name: str) -> list[dict[str, Any]]:
    """One entry for each claim, metric, attack, size and setting: its text, what it asks for, both sides' files."""
    return [
        {
            "claim": text,
            "metric": metric,
            "bounds": claim.bounds(),
            "seeds": config.studies[left.study].seeds_in_order(),
            "sides": [left.files(config), right.files(config)],
        }
        for claim, text, metric, left, right in claim_sides(config, name)
    ]


def claim_sides(config: Config, name: str) -> Iterator[tuple[Claim, str, str, Side, Side]]:
    """(entry, text, metric, what is compared, with what) of each claim of an exhibit."""
    for claim in config.exhibits[name].claims:
        usual = config.studies[claim.study].defenses[0]
        for metric, (left, right) in product(claim.metric, _sides(config, claim)):
            yield claim, _text(claim, left, right, usual), metric, left, right


def claim_files(config: Config, kind: str) -> Callable[[Any], list[str]]:
    """An input function: the files of one kind, as `Side.files` names them, of all that an exhibit's claims compare."""
    return lambda wildcards: sorted(
        {path for claim in exhibit_claims(config, wildcards.exhibit) for side in claim["sides"] for path in side[kind]}
    )


def _sides(config: Config, claim: Claim) -> Iterator[tuple[Side, Side]]:
    """Pairs of what is compared, and of what it is compared with."""
    study = claim.against_study or claim.study
    defense = claim.defense or config.studies[claim.study].defenses[0]
    other_defense = claim.against_defense or (defense if study == claim.study else config.studies[study].defenses[0])
    sizes = claim.n_train or config.studies[claim.study].n_train
    for n, attack in product(sizes, claim.attacks):
        for against, setting in product(claim.against or [attack], claim.settings):
            same = against == attack and claim.against_setting is None
            other_setting = setting if same else claim.against_setting or ""
            left = Side(claim.study, attack, setting, n, defense)
            yield left, Side(study, against, other_setting, claim.against_n_train or n, other_defense)


def _text(claim: Claim, left: Side, right: Side, usual: str) -> str:
    """What the paper says, and the difference that is computed for it."""
    names = f"{left.label(right, usual)} minus {right.label(left, usual)}"
    where = f", n = {left.n_train:,}" if left.n_train == right.n_train else ""
    return f"{claim.says}: {names}{where}{_bound(claim)}"


def _bound(claim: Claim) -> str:
    """What else a claim asks for than to be above."""
    if claim.between is not None:
        least, most = claim.between
        return f", between {least:g} and {_points(most)}"
    if claim.within is not None:
        return f", within {_points(claim.within)}"
    return f", at least {_points(claim.at_least)}" if claim.at_least else ""


def _points(number: float) -> str:
    return f"{number:g} point{'' if abs(number) == 1 else 's'}"
