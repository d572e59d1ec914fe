"""A plug-in's class lacks nothing that is called of it, as far as sources tell; this is known before any job starts."""

import ast
import zlib

import pytest

from lmia import interfaces
from tests.built_in_kinds import KINDS, OF_CLASSES, ROOT
from tests.workflow.config.bad_cases import DEFAULT, changed
from workflow.config.load import ConfigError, check
from workflow.config.plugin_contracts import broken_contract, members


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A function that writes the files of a package, which fail where they are run; its name is new for new content."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(**files):
        package = tmp_path / f"own{zlib.crc32(repr(files).encode())}"
        package.mkdir()
        for name, source in {"__init__": "", **files}.items():
            (package / f"{name}.py").write_text(source.replace("HERE", package.name) + "\nraise AssertionError\n")
        return package.name

    return write


def source_of(package, kind):
    return (ROOT / f"lmia/{package}/{kind}.py").read_text()


def with_class(source, target, edit):
    """A source whose class `target` was edited."""
    tree = ast.parse(source)
    edit(next(node for node in tree.body if getattr(node, "name", "") == target))
    return ast.unparse(tree)


def renamed(old, new):
    def edit(node):
        for part in ast.walk(node):
            for field in ("name", "id", "attr"):
                if getattr(part, field, None) == old:
                    setattr(part, field, new)

    return edit


@pytest.mark.parametrize("package, kind", OF_CLASSES)
def test_no_built_in_kind_is_refused_and_each_without_something_that_is_called_is(place, package, kind):
    target, source = KINDS[package, kind].target, source_of(package, kind)

    def problem_of(source):
        return broken_contract(f"{place(module=source)}.module", target, package)

    assert broken_contract(f"lmia.{package}.{kind}", target, package) is None and problem_of(source) is None
    protocol = getattr(interfaces, target)
    own = next(node for node in ast.parse(source).body if getattr(node, "name", "") == target)
    methods = [node.name for node in own.body if isinstance(node, ast.FunctionDef)]
    if target == "Defense":
        cut = with_class(source, target, lambda node: node.bases.clear())
        assert "Defense does not derive from lmia.defenses.base.Defense; write class Defense(" in problem_of(cut)
    else:
        for name in members(protocol):
            said = problem_of(with_class(source, target, renamed(name, f"{name}_")))
            assert f": {target} has no {name}" in said and (f"rename {name}_ to {name}," in said) is (
                name in methods
            ), said
    for name in {*members(protocol)}.intersection(methods):
        longer = with_class(source, target, lambda node, name=name: add_parameter(node, name))
        is_plain = "property" not in source
        assert not is_plain or f", expected {name}(self" in problem_of(longer), name


def add_parameter(node, name):
    method = next(item for item in node.body if getattr(item, "name", "") == name)
    method.args.args.insert(1, ast.arg("more"))
    method.args.defaults.clear()


ATTACK = """class Attack:
    reads = ("labels",)

    def fit(self, shadow, is_member):
        return self

    def skore(self, target):
        score = target.features()[:, 0]
        return score
"""
SMOOTH = """from lmia.defenses.base import Defense as Base


class Defense(Base):
    def loss(self, logits, y):
        return (logits - y).mean()
"""
SHADES = """class Perturbation:
    unit = "level"

    def __init__(self):
        self.magnitudes = [1]

    def blocks(self, inputs, streams):
        yield inputs
"""
BROKEN = {
    "a method of another name": (
        "attacks",
        ATTACK,
        "line 1: Attack has no score(self, target); rename skore to score, see docs/how-to/extend.md",
    ),
    "a method of no name": (
        "attacks",
        ATTACK.replace("skore", "rank"),
        "line 1: Attack has no score(self, target); define it, see docs/how-to/extend.md",
    ),
    "a calibration": (
        "attacks",
        "class Calibration:\n    reads = ('labels',)\n",
        "line 1: Calibration has no score(self, target, shadows, is_member); define it, see docs/how-to/extend.md",
    ),
    "other arguments": (
        "defenses",
        SMOOTH,
        "line 5: Defense has loss(self, logits, y), expected loss(self, model, inputs, classes); give it these",
    ),
    "no base": (
        "defenses",
        SMOOTH.replace("(Base)", ""),
        "line 4: Defense does not derive from lmia.defenses.base.Defense; write class Defense(lmia.",
    ),
    "no self": (
        "attacks",
        ATTACK.replace("def skore(self, target)", "def score(target)"),
        "line 7: Attack has score(target), expected score(self, target); give it these arguments",
    ),
    "no unit": ("queries", SHADES.replace("unit", "unti"), "line 1: Perturbation has no unit; define it, see docs/"),
    "too few arguments": (
        "queries",
        SHADES.replace(", streams", ""),
        "line 7: Perturbation has blocks(self, inputs), expected blocks(self, inputs, streams); give it these",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_plug_in_that_lacks_what_is_called_is_refused_before_any_job(place, case):
    section, source, message = BROKEN[case]
    package = place(module=source)
    entry = {"kind": f"{package}.module"} | ({"reads": "original"} if section == "attacks" else {})
    with pytest.raises(ConfigError) as error:
        check(changed(section, value=DEFAULT.get(section, {}) | {"own": entry}))
    (line,) = (line for line in str(error.value).splitlines() if line.startswith(f"{section}.own.kind"))
    assert line.startswith(f"{section}.own.kind: {package}.module: /") and f"{package}/module.py, {message}" in line


IN_BASES = {
    "beside it": ("from HERE.helper import Base", "Base"),
    "of a module": ("from HERE import helper", "helper.Base"),
    "of a module of another name": ("import HERE.helper as other", "other.Base"),
    "of a dotted name": ("import HERE.helper", "HERE.helper.Base"),
    "of a relative import": ("from .helper import Base as Other", "Other"),
    "handed through": ("from .through import Handed", "Handed"),
    "of two": ("from .helper import Base, Right", "Right, Base"),
    "two steps up": ("from .helper import Below", "Below"),
}
HELPER = "class Base:\n    reads = ()\n\n    def fit(self, shadow, is_member):\n        return self\n\n"
SCORE = "    def {name}(self, target):\n        return target.features()[:, 0]\n\n\n"
DERIVED = "class Right(Base):\n    pass\n\n\nclass Below(Right, Base):\n    pass\n"


@pytest.mark.parametrize("case", IN_BASES)
@pytest.mark.parametrize("name", ["score", "skore"])
def test_what_base_classes_have_counts(place, case, name):
    statement, bases = IN_BASES[case]
    package = place(
        module=f"{statement}\n\n\nclass Attack({bases}):\n    pass\n",
        helper=HELPER + SCORE.format(name=name) + DERIVED,
        through="from .helper import Base as Handed\n",
    )
    problem = broken_contract(f"{package}.module", "Attack", "attacks")
    if name == "score":
        assert problem is None
    else:
        assert problem.endswith(
            "/module.py, line 4: Attack has no score(self, target); rename skore to score, see docs/how-to/extend.md"
        )


UNKNOWN = {
    "an installed base": ATTACK.replace("Attack:", "Attack(Bunch):").replace(
        "class", "from sklearn.utils import Bunch\nclass"
    ),
    "a base that is made": ATTACK.replace("Attack:", "Attack(make()):"),
    "a base of two sources": "try:\n    from nowhere import Base\nexcept ImportError:\n    Base = object\n"
    + ATTACK.replace("Attack:", "Attack(Base):"),
    "bases of each other": "class Base(Attack):\n    pass\n\n\n" + ATTACK.replace("Attack:", "Attack(Base):"),
    "a metaclass": ATTACK.replace("Attack:", "Attack(metaclass=Meta):"),
    "a decorator": "@complete\n" + ATTACK,
    "__getattr__": f"{ATTACK}\n    def __getattr__(self, name):\n        return self.skore\n",
    "__new__": f"{ATTACK}\n    def __new__(cls):\n        return object.__new__(Other)\n",
    "an assignment to the class": f"{ATTACK}\n\nAttack.score = Attack.skore\n",
    "setattr": f'{ATTACK}\n\nsetattr(Attack, "score", Attack.skore)\n',
    "another name": f"{ATTACK}\n\nOther = Attack\nOther.score = Other.skore\n",
    "an assignment in the class": f"{ATTACK}\n    score = skore\n",
    "an assignment to the object": ATTACK.replace("return self\n", "self.score = self.skore\n        return self\n"),
    "its own dictionary": ATTACK.replace("return self\n", "self.__dict__['score'] = self.skore\n        return self\n"),
    "a branch": f"{ATTACK}\n    if True:\n        def score(self, target, more):\n            return 1\n",
    "a static method": ATTACK.replace("    def skore(self, ", "    @staticmethod\n    def score("),
    "any arguments": ATTACK.replace("skore(self, target)", "score(*args)"),
    "an argument with a default": ATTACK.replace("skore(self, target)", "score(self, target, smooth=True, *, more=1)"),
    "a function": ATTACK.replace("class Attack", "class Other") + "\n\ndef Attack():\n    return Other()\n",
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_where_sources_do_not_tell_nothing_is_said(place, case):
    assert broken_contract(f"{place(module=UNKNOWN[case])}.module", "Attack", "attacks") is None
