"""What attacks' jobs have read, as Snakemake recorded it: label-only ones could see no confidence or gradient."""

import csv

import pytest

from lmia.evaluation.metrics_table import read_metrics


@pytest.fixture(scope="module")
def inputs(finished):
    """Attack -> input files of its score_attack job."""
    lines = [line for line in finished.snakemake("--detailed-summary").splitlines() if "\t" in line]
    jobs = [job for job in csv.DictReader(lines, delimiter="\t") if job["rule"] == "score_attack"]
    return {job["output_file"].split("/")[-1].removesuffix(".npz"): job["input-file(s)"].split(",") for job in jobs}


def test_label_only_attacks_have_no_confidence_or_gradient_among_their_inputs(finished, inputs):
    table = read_metrics(finished.path / "results/metrics.csv")
    access = table[table["metric"] == "accuracy"].set_index("attack")["access"].to_dict()
    assert access.keys() == inputs.keys() and set(access.values()) == {"label", "confidence", "white-box"}
    for attack, files in inputs.items():
        for folder, needed in (("confidences", "confidence"), ("white_box", "white-box")):
            reads = any(file.startswith(f"results/{folder}/") for file in files)
            assert reads == (access[attack] == needed), attack


def test_no_attack_has_the_targets_membership_or_a_model_among_its_inputs(inputs):
    for attack, files in inputs.items():
        observed = [
            file for file in files if file.split("/")[1] in ("answers", "distances", "confidences", "white_box")
        ]
        splits = [file for file in files if file.startswith("results/splits/")]
        assert sorted(observed + splits) == sorted(files), attack
        assert splits and not any(file.endswith("/target.npz") for file in splits), attack
