"""Damaged artifacts, tables and figures are found, named and rebuilt, where they are read and by `snakemake verify`."""

import shutil

import numpy as np

from tests.workflow.edits import PLOTS_OF_METRICS


def flip(path, where):
    """Change one byte of a file, at a share of its length."""
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= 0xFF
    path.write_bytes(data)


def flip_record(checkout, path):
    """Change one bit of a result's checksum, after which it is no text."""
    record = checkout.path / "results/checksums" / f"{path.relative_to(checkout.path / 'results')}.sha256"
    record.write_bytes(bytes([record.read_bytes()[0] ^ 0x80]) + record.read_bytes()[1:])


def state(checkout):
    """Every file under results/, with its time, but for logs."""
    files = [file for file in (checkout.path / "results").rglob("*") if file.is_file() and "logs" not in file.parts]
    return {file: file.stat().st_mtime_ns for file in files}


def test_verify_reads_everything_and_builds_nothing(copy):
    before = state(copy)
    text = copy.snakemake("verify")
    own = [file for file in before if ".store" not in file.parts]
    made = [file for file in own if file.suffix in (".npz", ".csv", ".png", ".pdf")]
    made += [*(copy.path / "results/remarks").iterdir(), *(copy.path / "results/figures").glob("*.txt")]
    assert f"{len(made)} results sound, 0 damaged, 0 stale, 0 not made yet" in text
    assert state(copy) == before

    damaged = {
        "results/models/small/n60-none/0-1/target.npz": lambda path: flip(path, 0.5),
        "results/data/digits.npz": lambda path: path.write_bytes(path.read_bytes()[:-100]),
        "results/scores/small/n60-none/0-1/gap.npz": lambda path: np.savez(path, scores=np.zeros(3)),
        "results/scores/small/n60-none/0-1/noise.npz": lambda path: shutil.copy(
            copy.path / "results/data/other.npz", path
        ),
        "results/measures/small/n60-none/0-1/gap.csv": lambda path: flip(path, 0.9),
        "results/measures/small/n60-none/0-1/noise.csv": lambda path: flip_record(copy, path),
        "results/metrics.csv": lambda path: flip(path, 0.5),
        "results/remarks/small.txt": lambda path: flip(path, 0.5),
        "results/figures/accuracy.pdf": lambda path: path.write_bytes(path.read_bytes()[:-1]),
        "results/figures/roc.png": lambda path: (path.parents[1] / "checksums/figures/roc.png.sha256").unlink(),
    }
    shutil.copy(copy.path / "results/data/digits.npz", copy.path / "results/data/other.npz")
    for name, damage in damaged.items():
        damage(copy.path / name)
    (copy.path / "results/splits/small/n60-none/0-1/shadow0.npz").unlink()
    before = state(copy)
    text = copy.snakemake("verify", check=False)
    assert copy.exit_code == 1 and state(copy) == before
    lines = text.splitlines()
    for name in damaged:
        (line,) = {line for line in lines if line.startswith(f"damaged: {name}: ")}
        assert line.endswith(
            f"rebuild it: snakemake --cores 1 --force {name} (with your --configfile, if you name one)"
        )
    assert "missing: results/splits/small/n60-none/0-1/shadow0.npz" in lines
    assert f"{len(made) - 11} results sound, 10 damaged, 0 stale, 1 not made yet" in lines


def test_a_damaged_input_is_named_with_the_command_that_rebuilds_it(copy):
    name = "results/distances/small/n60-none/0-1/target/boundary.npz"
    sound, scores = (copy.path / name).read_bytes(), "results/scores/small/n60-none/0-1/boundary.npz"
    flip(copy.path / name, 0.6)
    text = copy.snakemake("--force", scores, check=False)
    command = f"snakemake --cores 1 --force {name}"
    assert copy.exit_code == 1 and f"ArtifactError: {name}: " in text and f"rebuild it: {command}" in text
    copy.snakemake(*command.split()[3:])
    assert (copy.path / name).read_bytes() == sound
    copy.snakemake(scores)


def test_a_damaged_table_is_made_again_before_it_is_read(copy):
    name = "results/measures/small/n60-none/0-1/gap.csv"
    sound, table = (copy.path / name).read_bytes(), "results/tables/small.csv"
    (copy.path / name).write_bytes(sound.replace(b"0.", b"1.", 1))
    assert copy.pending() == {"measure_attack": 1, "plot_scores": 1} | PLOTS_OF_METRICS
    copy.snakemake(table)
    assert (copy.path / name).read_bytes() == sound and not copy.pending(table)


def test_verify_names_what_is_stale_and_what_is_made_from_that(copy):
    copy.configure(lambda config: config["queries"]["noise"].update(samples=9))
    text = copy.snakemake("verify", check=False)
    stale = {line.split(": ")[1] for line in text.splitlines() if line.startswith("stale: ")}
    run = "small/n60-none/0-1"
    assert stale == {
        *(f"results/answers/{run}/{role}/noise.npz" for role in ("target", "shadow0")),
        f"results/scores/{run}/noise.npz",
        f"results/measures/{run}/noise.csv",
        "results/tables/small.csv",
        "results/metrics.csv",
        "results/figures/accuracy.png",
        "results/figures/accuracy.pdf",
        "results/figures/accuracy.txt",
    }
    assert copy.exit_code == 1 and '"samples": 10' in text and '"samples": 9' in text
