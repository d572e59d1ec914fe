"""Faults other than kills: full and read-only disks, damage, moved clocks, two Snakemakes at once.

Each is a function (checkout with everything finished, reference, rng, say); it raises Failure or AssertionError.
"""

import os
import resource
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial

from lmia import artifacts
from tests.faults.kills import PATIENCE, Failure, Run
from tests.workflow.conftest import ROOT

YEAR = 365 * 86400  # s
DAMAGED = 6  # files
TOUCH = "find results -exec touch -d @$(date +%s) {} +"  # all at once, as none may be newer than what is made from it
FROM_SCORES = ("scores", "measures", "tables", "figures", "metrics.csv")  # all of it: no run replaces what none needs


def ends_well(checkout, reference, but=()):
    """The same command brings all to the bytes of an undisturbed run, but for these names."""
    checkout.snakemake("--nolock", timeout=PATIENCE)
    found = {name: content for name, (_, content) in checkout.files().items()}
    if differing := [name for name in reference.files.keys() - but if found.get(name) != reference.files[name]]:
        raise Failure(f"{checkout.path}: other bytes than undisturbed: {', '.join(differing)}")


def nothing_torn(checkout, reference):
    for name, (_, content) in checkout.files().items():
        if content != reference.files.get(name):
            raise Failure(f"{checkout.path}/{name}: {len(content)} bytes that no undisturbed run has there")


def forget(checkout, *parts):
    """Take these of the results away, and what could be taken in their place, so that there is something to do."""
    for part in (".store", *parts):
        path = checkout.path / "results" / part
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def mounted(path, size):
    """A disk of `size` bytes; gives a function of options to mount it anew with, None where mounting is refused."""
    path.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    try:
        is_made = subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        is_made = False
    try:
        yield partial(remount, path) if is_made else None
    finally:
        if is_made:
            subprocess.run(["umount", "-l", str(path)], check=True)


def remount(path, options):
    subprocess.run(["mount", "-o", f"remount,{options}", str(path)], check=True)


def full_disk(checkout, reference, rng, say):
    """A disk that is full at a random byte, twice, then read-only, then large enough."""
    forget(checkout, "")
    total = sum(map(len, reference.files.values()))
    with mounted(checkout.path / "results", 4096 * (total // 4096 // 3)) as change:
        if change is None:
            say("  no disk may be mounted here: a limit on the size of files stands in for a full one")
            return full_file(checkout, reference, rng)
        for size in (rng.randrange(4096, total // 3), rng.randrange(total // 3, total)):
            change(f"size={size}")
            checkout.snakemake("--nolock", check=False, timeout=PATIENCE)
            assert checkout.exit_code != 0, f"ended well on a disk of {size} bytes"
            nothing_torn(checkout, reference)
        change("size=100m,ro")
        checkout.snakemake("--nolock", check=False, timeout=PATIENCE)
        assert checkout.exit_code != 0, "ended well on a disk that cannot be written"
        nothing_torn(checkout, reference)
        change("rw")
        ends_well(checkout, reference)


def full_file(checkout, reference, rng):
    """No file may be larger than a random size, which fails as a full disk does, in the middle of a write."""
    limit = rng.randrange(1000, max(map(len, reference.files.values())))
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--nolock"]
    done = subprocess.run(
        command,
        cwd=checkout.path,
        capture_output=True,
        timeout=PATIENCE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode != 0, f"ended well with no file over {limit} bytes"
    nothing_torn(checkout, reference)
    ends_well(checkout, reference)


def read_only_folder(checkout, reference, rng, say):
    """A folder of results that its owner made read-only, root without the right to write there all the same."""
    forget(checkout, *FROM_SCORES)
    (checkout.path / "results").chmod(0o555)
    bound = ["setpriv", "--bounding-set=-dac_override", "--"] if os.geteuid() == 0 else []
    command = [*bound, sys.executable, "-m", "snakemake", "--cores", "2", "--nolock"]
    done = subprocess.run(command, cwd=checkout.path, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode != 0 and "Permission denied" in done.stderr, done.stderr
    nothing_torn(checkout, reference)
    (checkout.path / "results").chmod(0o755)
    ends_well(checkout, reference)


def damage(checkout, reference, rng, say):
    """Files that are cut at a random byte, or with a flipped bit: named by verify, and rebuilt by what it says."""
    names = rng.sample(sorted(reference.files), DAMAGED)
    for number, name in enumerate(names):
        path, data = checkout.path / name, bytearray(reference.files[name])
        at = rng.randrange(len(data))
        if number % 2:
            data = data[:at]
        else:
            data[at] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
    text = checkout.snakemake("verify", "--nolock", check=False, timeout=PATIENCE)
    told = [line for line in text.splitlines() if line.startswith("damaged: ")]
    records = {name for name in names if name.endswith(".made")}  # of what was made from what: a run does without one
    for name in names:
        if name in records:
            continue
        if any(line.startswith(f"damaged: {blamed(name)}: ") for line in told):
            continue
        if not is_harmless(checkout.path / name, reference.files[name]):
            raise Failure(f"{checkout.path}/{name}: damaged, and verify does not say so")
        say(f"  harmless: {name}")
        (checkout.path / name).write_bytes(reference.files[name])
    for line in told:  # in the order in which results are made
        target, _, _ = line.partition("snakemake --cores 1 --force ")[2].partition(" ")  # a hint follows
        checkout.snakemake("--nolock", "--force", target, timeout=PATIENCE)
    ends_well(checkout, reference, but=records)


def blamed(name):
    """What is told of a damaged file: of a checksum, the table or figure that is its."""
    own = name.removeprefix("results/checksums/")
    return name if own == name else f"results/{own.removesuffix('.sha256')}"


def is_harmless(path, sound):
    """Whether an artifact still gives the arrays that it had: bytes of its frame say nothing."""
    if path.suffix != ".npz":
        return False
    other = path.with_name(f"sound-{path.name}")
    other.write_bytes(sound)
    try:
        found, expected = artifacts.load(path), artifacts.load(other)
    except artifacts.ArtifactError:
        return False
    finally:
        other.unlink()
    same = all((found[0][name] == expected[0][name]).all() for name in expected[0])
    return same and found[1] == expected[1]


def moved_clock(checkout, reference, rng, say):
    """The clock was set forward for a while: files of many times in the past, some missing."""
    move_times(checkout, reference, rng, -YEAR, 0)
    forget(checkout, *FROM_SCORES)
    ends_well(checkout, reference)


def clock_set_back(checkout, reference, rng, say):
    """Files of the future stop Snakemake, which says so, and does no more once they are touched as the docs say."""
    move_times(checkout, reference, rng, YEAR / 2, YEAR)
    forget(checkout, *FROM_SCORES)
    text = checkout.snakemake("--nolock", check=False, timeout=PATIENCE)
    assert checkout.exit_code != 0 and "clock skew" in text, text
    nothing_torn(checkout, reference)
    assert TOUCH in (ROOT / "docs/explanation/reliability.md").read_text()
    subprocess.run(TOUCH, cwd=checkout.path, shell=True, check=True)
    asked = checkout.calls()
    ends_well(checkout, reference)
    assert checkout.calls() == asked, "models were asked or trained again"


def move_times(checkout, reference, rng, least, most):
    """Give each file a time of its own, so many seconds from now."""
    for name in reference.files:
        moment = time.time() + rng.uniform(least, most)
        os.utime(checkout.path / name, (moment, moment))


def two_at_once(checkout, reference, rng, say):
    """The second is refused; with --nolock it is not, each may cost the other a job, and no more."""
    forget(checkout, "distances", *FROM_SCORES)
    first = Run(checkout)
    if first.watch(len) is not None:
        raise Failure("Snakemake ended without a job")
    text = checkout.snakemake(check=False, timeout=PATIENCE)
    assert checkout.exit_code != 0 and "cannot be locked" in text, text
    second = Run(checkout, "--nolock")
    codes = []
    for run in (first, second):
        codes.append(run.watch(lambda jobs: False))
        nothing_torn(checkout, reference)
    say(f"  they ended with {codes}")
    assert not any(codes) or "Superseded" in (checkout.path / "run.log").read_text(), codes
    before = asked(checkout)
    ends_well(checkout, reference)
    again = asked(checkout) - before
    assert again < reference.asked["search_boundary"], f"{again} inputs were asked again"


def asked(checkout):
    """Inputs that all searches have asked so far."""
    return sum(n for (_, script), n in checkout.calls().items() if script == "search_boundary")


FAULTS = {
    "full and read-only disk": full_disk,
    "read-only folder": read_only_folder,
    "damage": damage,
    "moved clock": moved_clock,
    "clock set back": clock_set_back,
    "two at once": two_at_once,
}
