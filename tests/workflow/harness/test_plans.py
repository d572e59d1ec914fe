"""Plans only look: whatever Snakemake is asked for, results and their second names stay until a run makes others."""

import base64
import shutil

import pytest

from lmia import artifacts
from tests.workflow.edits import NAMED, PLOTS_OF_METRICS, RUN, config, rename_study
from workflow.harness import local_store, result_records

SCORES = f"results/scores/{RUN}/noise.npz"


def names(checkout):
    """Path of each file under results/ -> number of its names, but for logs."""
    files = [file for file in (checkout.path / "results").rglob("*") if file.is_file() and "logs" not in file.parts]
    return {file: file.stat().st_nlink for file in files}


def log_of(checkout, name):
    return (checkout.path / name.replace("results/", "results/logs/").replace(".npz", ".log")).read_text()


@pytest.mark.parametrize(
    "asked",
    [
        ["--forceall", "--dag"],
        *(
            pytest.param(asked, marks=pytest.mark.slow)
            for asked in (["--summary"], ["--forceall", "-n"], ["--list-untracked"], ["--delete-all-output", "-n"])
        ),
    ],
)
def test_a_look_works_without_notes_and_changes_nothing(copy, asked):
    shutil.rmtree(copy.path / ".snakemake")
    rename_study(copy)
    before = names(copy)
    copy.snakemake(*asked)
    assert names(copy) == before


def test_a_run_that_is_refused_changes_nothing(copy):
    (copy.path / ".snakemake/locks").mkdir(exist_ok=True)
    (copy.path / ".snakemake/locks/0.output.lock").write_text(f"{SCORES}\n")
    before = names(copy)
    assert "LockException" in copy.snakemake("--forceall", SCORES, check=False) and copy.exit_code
    assert names(copy) == before


@pytest.mark.parametrize("part", ["scores", "provenance"])
@pytest.mark.parametrize("has_links", [True, False])
def test_what_is_damaged_and_deleted_does_not_come_back(copy, part, has_links):
    """Its second name is the same file; of copied results it is any that has no second name."""
    damaged, stray = copy.path / SCORES, copy.path / "results/scores/other.npz"
    content = bytearray(damaged.read_bytes())
    content[content.index(part.encode()) + 200] ^= 255
    damaged.write_bytes(content)
    if not has_links:
        shutil.rmtree(copy.path / "results/.store")
        damaged.rename(stray)
    damaged.unlink(missing_ok=True)
    copy.snakemake(SCORES)
    artifacts.load(damaged)
    with pytest.raises(artifacts.ArtifactError):
        artifacts.load(stray if stray.exists() else write(copy.path / "damaged.npz", content))


def write(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.slow
def test_only_what_is_left_in_the_plan_is_taken(copy):
    rename_study(copy)
    copy.snakemake("--until", "draw_split")
    assert [path.parent.name for path in (copy.path / "results").rglob("renamed")] == ["splits"]


@pytest.mark.parametrize("triggers", ["mtime", pytest.param("code", marks=pytest.mark.slow)])
def test_triggers_by_which_stale_results_would_pass_are_refused(copy, triggers):
    config("studies", "small", "training", "patience", value=19)(copy)
    text = copy.snakemake("-n", "--rerun-triggers", triggers, check=False)
    assert copy.exit_code == 1 and "--rerun-triggers: params must be among them" in text


def test_triggers_of_snakemake_run_nothing_more_and_are_not_advised(copy):
    (copy.path / "workflow/scripts/score_attack.py").touch()
    assert "Nothing to be done" in copy.snakemake("-n", "--rerun-triggers", "mtime", "code", "input", "params")
    config("attacks", "rotation", "folds", value=2)(copy)
    assert "--cleanup-metadata" not in copy.snakemake("-n")


@pytest.mark.parametrize(
    "gone",
    [
        ("models", "answers", "distances", "confidences"),
        pytest.param(("data", "splits", "models"), marks=pytest.mark.slow),
    ],
)
def test_whole_stages_may_be_deleted_once_they_are_used(copy, gone):
    for folder in (*gone, ".store"):
        shutil.rmtree(copy.path / "results" / folder)
    assert not copy.pending() and "0 damaged, 0 stale" in copy.snakemake("verify")


@pytest.mark.slow
def test_results_that_were_copied_without_links_are_found_by_what_they_are(finished, copy):
    shutil.rmtree(copy.path / "results")
    shutil.copytree(finished.path / "results", copy.path / "results", ignore=shutil.ignore_patterns(".store"))
    rename_study(copy)
    assert dict(copy.pending()) == NAMED | PLOTS_OF_METRICS | {"check_study": 1}
    copy.snakemake(new := SCORES.replace("small", "renamed"))
    assert (copy.path / new).samefile(copy.path / SCORES)


def test_a_run_gives_second_names_to_what_has_none(copy, monkeypatch):
    shutil.rmtree(copy.path / "results/.store")
    assert "Nothing to be done" in copy.snakemake()
    monkeypatch.chdir(copy.path)
    assert all(local_store.has(result_records.read(name)["key"], [name]) for name in (SCORES, "results/metrics.csv"))


def test_other_results_copied_over_these_are_made_again(copy):
    """In place, so second names hold them too."""
    first = (copy.path / SCORES).read_bytes()
    shutil.copytree(copy.path / "results", copy.path / "old")
    config("queries", "noise", "sigmas", value=[0.1, 0.3])(copy)
    copy.snakemake(SCORES)
    second = (copy.path / SCORES).read_bytes()
    shutil.copytree(copy.path / "old", copy.path / "results", dirs_exist_ok=True)
    assert (copy.path / SCORES).read_bytes() == first
    copy.snakemake(SCORES)
    assert (copy.path / SCORES).read_bytes() == second != first


@pytest.mark.slow
def test_verify_names_what_a_plan_would_make_again(copy):
    config("attacks", "more", value={"kind": "vote", "reads": "noise"})(copy)
    text = copy.snakemake("verify", check=False)
    assert copy.exit_code == 1
    assert all(f"stale: results/{name}" in text for name in ("tables/small.csv", "metrics.csv", "figures/accuracy.png"))
    config("queries", "settled", "budget", value=151)(copy)
    text = copy.snakemake("verify", check=False)
    assert f"stale: results/stopping/{RUN}/settled.npz: was made from results/distances/" in text


@pytest.mark.slow
def test_what_is_forced_is_made_again_even_if_its_end_was_not_seen(copy):
    marker = copy.path / ".snakemake/incomplete" / base64.b64encode(SCORES.encode()).decode()
    marker.parent.mkdir(exist_ok=True)
    marker.write_text("{}")
    copy.snakemake(SCORES)
    assert "taken from what was made before" in log_of(copy, SCORES)
    marker.write_text("{}")
    copy.snakemake("--force", SCORES)
    assert "taken from what was made before" not in log_of(copy, SCORES)


def test_a_record_of_another_layout_says_nothing(copy):
    copy.edit("workflow/harness/result_records.py", "LAYOUT = 1", "LAYOUT = 2")
    assert "no record of what it was made from" in copy.snakemake("-n", SCORES)


@pytest.mark.slow
def test_what_follows_from_no_new_byte_is_taken_down_to_the_figures(copy):
    before = copy.results("figures/*", "tables/*", "measures/**/*")
    copy.edit("lmia/data/digits.py", "/ 16", "/ 16.0")
    text = copy.snakemake()
    assert "100%" in text and copy.results("figures/*", "tables/*", "measures/**/*") == before
    logs = [log for log in (copy.path / "results/logs").rglob("*.log") if log.parent.name != "data"]
    assert len(logs) > 20 and all("taken from what was made before" in log.read_text() for log in logs)
    assert not copy.pending()
