"""Thousands of spoilt configurations and files: each is taken, or refused by our own error, in little time."""

import copy as copying
import io
import math
import time
import zipfile

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lmia.data import npz
from tests.bad_input.raw_arrays import GOOD, npy
from tests.workflow.config.bad_cases import DEFAULT, ROOT
from tests.workflow.config.defended_studies import defended
from workflow.config.load import ConfigError, base_files, check, read_layers
from workflow.config.yaml_reader import read

SECONDS = 5  # of CPU time for one input, far more than any takes
OTHERS = {"digits": DEFAULT["datasets"]["digits"], "others": {"kind": "digits", "seed": 1}}
SOUND = [
    DEFAULT,
    defended(defense={"kind": "transfer", "source": "other"}, dataset="others") | {"datasets": OTHERS},
    DEFAULT | {"datasets": {"digits": {"kind": "npz", "path": "/dev/null"}, "more": {"kind": "adult", "path": "/"}}},
    read_layers([ROOT / "config/audit-example.yaml"])[0],
]
NUMBERS = [0, 1, -1, 2, 10**6, 2**63 - 1, -(2**63), 2**63, 10**30, 0.0, 0.5, -0.5, 1e308, 5e-324, math.inf, -math.inf]
TEXTS = [
    "",
    "x",
    "a.b",
    "..",
    "a..b",
    "os.path",
    "this.x",
    "antigravity.x",
    "lmia.evaluation.metrics",
    "none",
    "0-3",
    "5-2",
    "1e-3",
]
TEXTS += [
    "0-99999999999",
    "9" * 5000,
    "\0",
    "é\u202e\U0001f600",
    "'\"\n%s{x}",
    "~nobody/x",
    "/dev/zero",
    "../../etc/passwd",
]
KEYS = [
    "kind",
    "path",
    "base",
    "defense",
    "n_train",
    "options",
    "over",
    "source",
    "budget",
    "family",
    "studies",
    "audits",
    "\u00e9",
    "",
]
SCALARS = st.one_of(
    st.none(), st.booleans(), st.sampled_from(NUMBERS), st.sampled_from(TEXTS), st.floats(), st.integers(), st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.sampled_from(KEYS), SCALARS), inner, max_size=4)
    ),
    max_leaves=8,
)
CHANGES = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(["replace", "remove", "add"]), st.sampled_from(KEYS), VALUES),
    min_size=1,
    max_size=3,
)
TAGS = [
    "!!python/object/apply:os.mkdir ['{canary}']",
    "!!python/name:os.system",
    "!!set",
    "!!binary x",
    "!!timestamp x",
]
SNIPPETS = [
    *TAGS,
    "__use_yte__: true\n",
    "?open('{canary}', 'w')",
    "&a ",
    "*a",
    "\t",
    "? ",
    "- ",
    ": ",
    "{{",
    "}}",
    "[",
    "'",
]
SNIPPETS += ["\n", "#", "|", ">", "%", "@", "---\n", "...\n", "<<: *a", "1" * 5000, "\0", "\x85", "\ufeff", "~", "null"]
CUTS = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(0, 40), st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=5))),
    min_size=1,
    max_size=4,
)
LINKS = st.lists(  # mappings, each of merges of and aliases to earlier ones
    st.tuples(
        st.lists(st.integers(0, 10**6), max_size=30), st.lists(st.integers(0, 10**6), max_size=10), st.booleans()
    ),
    min_size=1,
    max_size=30,
)
BYTES = st.lists(
    st.tuples(
        st.integers(0, 10**6), st.sampled_from(["flip", "cut", "insert", "end"]), st.binary(min_size=1, max_size=8)
    ),
    min_size=1,
    max_size=6,
)


def fuzz(examples, *strategies):
    """The same inputs each time, so that what fails once fails again."""

    def decorate(test):
        checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
        options = settings(max_examples=examples, deadline=None, derandomize=True, database=None)
        return settings(options, suppress_health_check=checks)(given(*strategies)(test))

    return decorate


def places(node, keys=()):
    yield keys
    for key, entry in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from places(entry, (*keys, key))


def spoilt(config, changes):
    """A configuration after changes of entries somewhere in it."""
    config = copying.deepcopy(config)
    for where, what, key, value in changes:
        found = list(places(config))[1:]
        if not found:
            return config
        *path, last = found[where % len(found)]
        node = config
        for step in path:
            node = node[step]
        if what == "remove":
            del node[last]
        elif what == "add" and isinstance(node[last], dict):
            node[last][key] = value
        elif what == "add" and isinstance(node[last], list):
            node[last].append(value)
        else:
            node[last] = value
    return config


def damaged(data, changes):
    """Bytes after changes."""
    for where, what, content in changes:
        where %= len(data) + 1
        before, cut, after = data[:where], data[where:][: len(content)], data[where:][len(content) :]
        edited = {
            "end": before,
            "flip": before + bytes(a ^ b for a, b in zip(cut, content, strict=False)) + after,
            "cut": before + after,
            "insert": before + content + cut + after,
        }
        data = edited[what]
    return data


def is_refused(action):
    """Whether it raised ConfigError with some text; all else than a result or that error passes through."""
    start = time.process_time()
    try:
        action()
    except ConfigError as error:
        assert str(error).strip()
        return True
    finally:
        assert time.process_time() - start < SECONDS
    return False


def check_values(base, changes):
    config = spoilt(SOUND[base], changes)
    is_refused(lambda: (base_files({key: value for key, value in config.items() if key != "base"}), check(config)))


def check_text(folder, cuts):
    text = yaml.safe_dump({key: DEFAULT[key] for key in ("datasets", "models", "studies", "queries", "attacks")})
    for where, n, snippet in cuts:
        where %= len(text)
        text = text[:where] + snippet.replace("{canary}", str(folder / "canary")) + text[where + n :]
    (folder / "mine.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    is_refused(lambda: check(read(folder / "mine.yaml")))
    assert not (folder / "canary").exists()


def check_links(folder, links):
    lines = ["studies: &a0 {n_train: [50], seeds: [0]}"]
    for number, (merged, used, in_lists) in enumerate(links, 1):
        names = [f"*a{link % number}" for link in merged]
        merges = [f"<<: [{', '.join(names)}]"] if in_lists else [f"<<: {name}" for name in names[:1]]
        aliases = [f"k{key}: *a{link % number}" for key, link in enumerate(used)]
        lines.append(f"queries{number}: &a{number} {{{', '.join([*merges, *aliases])}}}")
    (folder / "mine.yaml").write_text("\n".join(lines))
    is_refused(lambda: check(read(folder / "mine.yaml")))


def check_file(folder, changes, of_array):
    """of_array: changes what is in the zip, so that it has the right checksums."""
    arrays = {name: npy(array) for name, array in GOOD.items()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in arrays.items():
            archive.writestr(f"{name}.npy", damaged(content, changes) if of_array else content)
    path = folder / "mine.npz"
    path.write_bytes(file.getvalue() if of_array else damaged(file.getvalue(), changes))
    start = time.process_time()
    try:
        inputs, classes = npz.load(str(path))
    except ValueError as error:
        assert "mine.npz" in str(error)
    else:
        assert inputs.dtype == np.float32 and len(inputs) == len(classes) and 0 <= inputs.min() <= inputs.max() <= 1
        assert set(classes.tolist()) == set(range(classes.max() + 1))
    assert time.process_time() - start < SECONDS


FEW, MANY = 100, 2_500  # of each kind


@fuzz(FEW, st.integers(0, len(SOUND) - 1), CHANGES)
def test_spoilt_configurations_are_refused_by_our_own_error(base, changes):
    check_values(base, changes)


@fuzz(FEW, CUTS)
def test_spoilt_yaml_is_refused_by_our_own_error(tmp_path_factory, cuts):
    check_text(tmp_path_factory.getbasetemp(), cuts)


@fuzz(FEW, LINKS)
def test_merges_and_aliases_of_each_other_are_refused_in_time(tmp_path_factory, links):
    check_links(tmp_path_factory.getbasetemp(), links)


@fuzz(FEW, BYTES, st.booleans())
def test_spoilt_arrays_are_refused_by_name(tmp_path_factory, changes, of_array):
    check_file(tmp_path_factory.getbasetemp(), changes, of_array)


@pytest.mark.slow
@fuzz(MANY, st.integers(0, len(SOUND) - 1), CHANGES)
def test_thousands_of_spoilt_configurations(base, changes):
    check_values(base, changes)


@pytest.mark.slow
@fuzz(MANY, CUTS)
def test_thousands_of_spoilt_yaml_files(tmp_path_factory, cuts):
    check_text(tmp_path_factory.getbasetemp(), cuts)


@pytest.mark.slow
@fuzz(MANY, LINKS)
def test_thousands_of_merges_and_aliases(tmp_path_factory, links):
    check_links(tmp_path_factory.getbasetemp(), links)


@pytest.mark.slow
@fuzz(MANY, BYTES, st.booleans())
def test_thousands_of_spoilt_arrays(tmp_path_factory, changes, of_array):
    check_file(tmp_path_factory.getbasetemp(), changes, of_array)
