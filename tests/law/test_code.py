"""The law for code: a change of any module that a result can depend on is seen by the jobs that import it, and by them.

Who imports what is worked out here once more, by the names in import statements, from the files alone.
"""

import ast
import collections
import datetime
import random
import re
import shutil

import pytest

from tests.law.code_edits import mutated
from workflow.harness import fingerprint
from workflow.harness.fingerprint import HARNESS, ROOT, hashes

SEED = datetime.date.today().toordinal()  # another mutation every day
SOURCES = [file for folder in ("lmia", "workflow") for file in sorted((ROOT / folder).rglob("*.py"))]
FILES = {str(file.relative_to(ROOT)): file for file in SOURCES}
SAMPLE, SHARDS = 5, 2
# What no result depends on, each with its reason; the folder workflow/harness is another.
SEEN_BY_NONE = {
    "lmia/api.py": "for notebooks: no job uses it, and test_layers.py sees that nothing imports it",
    "lmia/api_checks.py": "see api",
    "lmia/api_observations.py": "see api",
    "lmia/api_options.py": "see api",
    "lmia/api_pools.py": "see api",
    "lmia/targets/shadow.py": "its trainer is a user's own module, which this study has none of: test_plugins.py",
    "workflow/config/": "what it reads reaches jobs as params, and what it checks changes nothing",
    "workflow/tools/": "programs that no job runs",
    "workflow/scripts/verify.py": "reads results and makes none",
    "workflow/scripts/cost.py": "reads results and makes none",
    "workflow/tools/config_reference.py": "a program that no job runs",
}


def imports(name):
    """Files of ours that one file names in its import statements, packages above them included."""
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    parts = {".".join(dotted.split(".")[:n]) for dotted in found for n in range(1, dotted.count(".") + 2)}
    paths = {f"{part.replace('.', '/')}{end}" for part in parts for end in (".py", "/__init__.py")}
    return paths & FILES.keys()


def reached(roots):
    """All files that some files import, directly or not, without workflow/harness and what only that imports."""
    seen, pending = set(), list(roots)
    while pending:
        if (name := pending.pop()) not in seen and not FILES[name].is_relative_to(HARNESS):
            seen.add(name)
            above = {f"{folder}/__init__.py" for folder in map(str, FILES[name].relative_to(ROOT).parents)}
            pending += imports(name) | (above & FILES.keys())
    return seen


@pytest.fixture(scope="module")
def codes(everything):
    """Every list of files that some job's hash covers -> one of its jobs."""
    _, plan = everything
    found = {tuple(entry.rpartition("@")[0] for entry in job["params"]["code"]): job for job in plan.made().values()}
    return found


def chosen_by_name(job):
    """Files of the modules that a job's script loads by the kinds in its params, or by name."""
    text = FILES[script_of(job)].read_text()
    specs = [job["params"].get(name) for name in ("spec", "model", "target", "defense", "query", "attack", "figure")]
    specs += job["params"].get("queries", {}).values()
    specs += [entry[1] for entry in job["params"].get("attacks", []) if isinstance(entry, list)]  # with their names
    kinds = {spec["kind"] for spec in specs if spec}
    packages = (
        "data",
        "models",
        "targets",
        "defenses",
        "perturbations",
        "crafting",
        "attacks",
        "calibration",
        "figures",
    )
    folders = [name for name in packages if re.search(rf"\bmodules\(.*\b{name}=|\"{name}\"", text)]
    found = {f"lmia/{folder}/{kind}.py" for folder in folders for kind in kinds} & FILES.keys()
    found |= {f"{kind.replace('.', '/')}.py" for kind in kinds} & FILES.keys()  # of a given model, by its whole name
    if job["rule"] == "search_boundary" and any("results/stopping" in f for fs in job["inputs"].values() for f in fs):
        found.add("lmia/boundary/stopping.py")
    if job["rule"] == "search_boundary" and job["inputs"].get("references"):
        found |= {"lmia/models/reference_models.py", "lmia/boundary/references.py"}
    if job["rule"] == "search_directions" and job["inputs"].get("relabelled"):
        found.add("lmia/models/relabelled_models.py")
    return found


def script_of(job):
    return next(f for entry in job["params"]["code"] if (f := entry.rpartition("@")[0]).startswith("workflow/scripts/"))


def test_the_hash_of_each_job_covers_exactly_what_it_imports(codes):
    for listed, job in codes.items():
        needed = reached({script_of(job), *chosen_by_name(job)})
        told = {
            name for name in needed if fingerprint._version(FILES[name].read_bytes(), FILES[name], dotted(name))
        }  # no mere docstrings
        assert set(listed) == told, job["rule"]


def dotted(name):
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def test_every_module_is_covered_by_some_hash_or_exempt_for_a_reason(codes):
    covered = {name for listed in codes for name in listed}
    meaning = {name for name, file in FILES.items() if fingerprint._version(file.read_bytes(), file, dotted(name))}
    around = {name for name in meaning if FILES[name].is_relative_to(HARNESS)}
    assert meaning - around - covered == {name for name in meaning if name.startswith(tuple(SEEN_BY_NONE))}


def test_a_mutation_of_some_modules_changes_the_hash_of_the_jobs_that_import_them_and_no_other(mutate, capsys):
    counts = mutate(random.Random(SEED).sample(sorted(FILES), SAMPLE))
    with capsys.disabled():
        print(f"\n{dict(counts)} of {SAMPLE} modules (seed {SEED})")


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_mutation_of_any_module_changes_the_hash_of_the_jobs_that_import_it_and_no_other(mutate, capsys, shard):
    counts = mutate(sorted(FILES)[shard::SHARDS])
    with capsys.disabled():
        print(f"\n{counts['planned']} modules, all planned; {dict(counts)} (seed {SEED})")


@pytest.fixture
def mutate(codes, tmp_path, monkeypatch):
    """A function that changes one literal or operator of each of some modules, and compares all jobs' hashes."""
    roots = {listed: fingerprint_roots(job) for listed, job in codes.items()}
    copies = tmp_path / "copy"
    for name, file in FILES.items():
        (copies / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copies / name)
    move_to(copies, monkeypatch)

    def all_hashes():
        return {listed: hashes(fingerprint.fingerprint(script, *names)) for listed, (script, names) in roots.items()}

    def mutate(names):
        before, draw, counts = all_hashes(), random.Random(SEED), collections.Counter()
        for name in names:
            source = (copies / name).read_text()
            if (changed := mutated(source, draw)) is None:
                counts["with nothing to mutate"] += 1
                continue
            (copies / name).write_text(changed)
            after = all_hashes()
            (copies / name).write_text(source)
            moved = {listed for listed in before if before[listed] != after[listed]}
            assert moved == {listed for listed in codes if name in listed}, f"{name} (seed {SEED})"
            assert bool(moved) != (name.startswith(tuple(SEEN_BY_NONE)) or FILES[name].is_relative_to(HARNESS)), name
            counts["planned" if moved else "exempt"] += 1
        return counts

    yield mutate
    monkeypatch.undo()
    forget()


def fingerprint_roots(job):
    """(script, names of the modules that its rule gives to the hash) of a job."""
    return script_of(job), sorted(dotted(name) for name in chosen_by_name(job))


def move_to(root, monkeypatch):
    """Have hashes made of the files under another root."""
    monkeypatch.setattr(fingerprint, "ROOT", root)
    monkeypatch.setattr(fingerprint, "HARNESS", root / "workflow/harness")
    monkeypatch.syspath_prepend(root)
    forget()


def forget():
    for cached in (fingerprint.locate, fingerprint._own, fingerprint._source_version, fingerprint._imported):
        cached.cache_clear()


ELSEWHERE = re.compile(r"snakemake\.(?!params|input|output|log\b|threads)(\w+)(?:\.(\w+)|\[\"(\w+)\"\])?")


def test_scripts_take_what_decides_a_byte_from_params_and_inputs():
    """Records have these. Wildcards and the configuration are for names in messages, and for where files lie."""
    scripts = {name: file.read_text() for name, file in FILES.items() if name.startswith("workflow/scripts/")}
    read = {
        (name.rpartition("/")[2], ".".join(filter(None, found)))
        for name, text in scripts.items()
        for found in ELSEWHERE.findall(text)
    }
    assert read == {
        ("check_study.py", "wildcards.study"),
        ("check_study.py", "config.studies"),
        ("draw_split.py", "wildcards.study"),
        ("draw_split.py", "config.studies"),
        ("draw_split.py", "config.datasets"),
        ("import_target.py", "wildcards.study"),
        ("import_target.py", "config.studies"),
        ("import_target.py", "config.targets"),
        ("query_references.py", "wildcards.study"),
        ("query_references.py", "config.studies"),
        ("query_references.py", "config.targets"),
        ("prepare_dataset.py", "wildcards.dataset"),
        ("prepare_dataset.py", "config.datasets"),
        ("relabel.py", "wildcards.study"),
        ("score_attack.py", "wildcards.attack"),
        ("score_given.py", "wildcards.attack"),
        ("score_in_question.py", "wildcards.attack"),
        ("score_pool.py", "wildcards.attack"),
        ("train_model.py", "wildcards.study"),
        ("train_model.py", "config.studies"),
        ("train_shadow.py", "wildcards.study"),
        ("train_shadow.py", "config.studies"),
        ("train_shadow.py", "config.targets"),
        ("verify.py", "config.stale"),
        ("write_audit.py", "config.datasets"),
        ("compare_in_question.py", "config.datasets"),
        ("decide_in_question.py", "config.datasets"),
    }
