"""Check a configuration before any job starts, with messages that name the key, the value and the fix."""

import ast
import difflib

from pydantic import ValidationError

from lmia.plugins import module_name
from workflow import schema
from workflow.fingerprint import find
from workflow.seeds import seed_list

OBSERVATIONS = {"hopskipjump": "distances", "confidences": "confidences"}  # every other query kind: labels
# Per section: package of the built-in modules, and the function or class whose arguments are the options.
PLUGINS = {
    "datasets": ("data", "load"),
    "models": ("models", "build"),
    "defenses": ("defenses", "Defense"),
    "queries": ("perturbations", "Perturbation"),
    "attacks": ("attacks", "Attack"),
}


class ConfigError(ValueError):
    """A configuration that cannot be run; the message has one line per mistake."""


def check(raw):
    """Parse a configuration (nested dict) into a `schema.Config`.

    Raises ConfigError with one line per mistake: key, value, and what to write instead.
    """
    try:
        config = schema.Config.model_validate(raw)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(raw, mistake) for mistake in error.errors())) from None
    for checks in ([_check_custom], [_check_attacks, _check_studies], [_check_figures]):  # each needs the ones before
        if problems := [problem for check in checks for problem in check(config)]:
            raise ConfigError("\n".join(problems))
    return config


def observation(query):
    """What a query set yields: "labels", "distances" or "confidences"."""
    return OBSERVATIONS.get(query.kind, "labels")


def read_constant(module, name):
    """A literal assigned to `name` at the top of a module's source, or None; the module is not run."""
    for node in _source(module).body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == name for target in node.targets):
            return ast.literal_eval(node.value)
    return None


def _source(module):
    return ast.parse(find(module).read_text())


def _explain(raw, mistake):
    """One line for one pydantic error."""
    path = [str(part) for part in mistake["loc"]]
    node, keys = raw, []
    for part in path:  # pydantic's path also names the member of a union that it tried; ours has only the user's keys
        if isinstance(node, dict) and part in node or isinstance(node, list) and part.isdigit():
            node, keys = node[int(part) if isinstance(node, list) else part], [*keys, part]
        elif mistake["type"] == "missing" and part == path[-1]:
            keys.append(part)
    key, context = ".".join(keys), mistake.get("ctx", {})
    if mistake["type"] == "extra_forbidden":
        return f"{key}: unknown key; {_suggest(path[-1], _known_keys(path))}"
    if mistake["type"] == "missing":
        return f"{key}: missing; {_describe(path)}"
    if mistake["type"] == "union_tag_invalid":
        expected = [tag for tag in context["expected_tags"].replace("'", "").split(", ") if tag != "custom"]
        return (
            f"{key}.kind: {context['tag']}: unknown kind; {_suggest(context['tag'], expected)}, or a dotted module path"
        )
    if mistake["type"] == "union_tag_not_found":
        return f"{key}.kind: missing; say of which kind this entry is"
    wanted = mistake["msg"].partition(" should ")[2] or mistake["msg"]
    return f"{key}: {mistake['input']!r}: not possible here; it should {wanted}"


def _field_owner(path):
    """The schema class that holds the last key of a pydantic error path."""
    owner, sections = schema.Config, {"studies": schema.Study, "metrics": schema.Metrics, "figures": schema.Figure}
    if len(path) > 1:
        owner = sections.get(path[0])
        if path[0] in PLUGINS and len(path) > 3:
            owner = next((c for c in vars(schema).values() if _is_kind(c, path[2])), None)
        if "training" in path[2:-1]:
            owner = schema.Training
    return owner


def _is_kind(value, kind):
    fields = getattr(value, "model_fields", {})
    return "kind" in fields and kind in getattr(fields["kind"].annotation, "__args__", ())


def _known_keys(path):
    owner = _field_owner(path)
    return list(owner.model_fields) if owner else []


def _describe(path):
    owner = _field_owner(path)
    field = owner.model_fields.get(path[-1]) if owner else None
    return f"add it: {field.description}" if field and field.description else "add it"


def _suggest(word, known):
    if not known:
        return "this kind takes no options; remove it"
    close = difflib.get_close_matches(str(word), known, n=1)
    return f"did you mean {close[0]}?" if close else f"expected one of: {', '.join(known)}"


def _unknown(key, name, known, section):
    return f"{key}: {name}: not defined under {section}; {_suggest(name, list(known))}"


def _check_custom(config):
    """Dotted paths must lead to a module that has what its section needs, and takes the options given."""
    for section, (package, target) in PLUGINS.items():
        for name, entry in getattr(config, section).items():
            if not isinstance(entry, schema.Custom):
                continue
            key, module = f"{section}.{name}", module_name(package, entry.kind)
            if find(module) is None:
                yield f"{key}.kind: {entry.kind}: no such module; put its file beside the Snakefile or on PYTHONPATH"
                continue
            arguments = _arguments(module, target)
            if arguments is None:
                yield f"{key}.kind: {entry.kind}: the module defines no {target}; see docs/extending.md"
                continue
            for option in entry.options():
                if option not in arguments:
                    yield f"{key}.{option}: unknown key; {_suggest(option, arguments)}"


def _arguments(module, target):
    """Names of the options that a module's function, or its class's __init__, takes; None where it has neither."""
    for node in _source(module).body:
        if getattr(node, "name", None) == target:
            if isinstance(node, ast.ClassDef):
                node = next((item for item in node.body if getattr(item, "name", "") == "__init__"), None)
            arguments = node.args.args + node.args.kwonlyargs if node else []
            return [argument.arg for argument in arguments if argument.arg not in ("self", "shape", "n_classes")]
    return None


def _check_attacks(config):
    for name, attack in config.attacks.items():
        key = f"attacks.{name}"
        if attack.reads not in config.queries:
            yield _unknown(f"{key}.reads", attack.reads, config.queries, "queries")
            continue
        query = config.queries[attack.reads]
        module = module_name("attacks", attack.kind)
        accepted = read_reads(module)
        if accepted and observation(query) not in accepted:
            yield (
                f"{key}.reads: {attack.reads}: yields {observation(query)}, a {attack.kind} attack reads "
                f"{' or '.join(accepted)}; choose another query set or kind"
            )
        asked = query.cost() if hasattr(query, "cost") else None
        for budget in filter(None, [attack.budget, *attack.budgets]):
            if asked and budget > asked:
                yield f"{key}.budget: {budget}: queries.{attack.reads} asks only {asked}; lower this or raise that"


def read_reads(module):
    """The `reads` of a module's Attack, from its source."""
    for node in _source(module).body:
        if getattr(node, "name", None) == "Attack":
            for item in node.body:
                if isinstance(item, ast.Assign) and item.targets[0].id == "reads":
                    return ast.literal_eval(item.value)
    return None


def _check_studies(config):
    for name, study in config.studies.items():
        key = f"studies.{name}"
        for field, section in (("dataset", config.datasets), ("model", config.models)):
            if getattr(study, field) not in section:
                yield _unknown(f"{key}.{field}", getattr(study, field), section, f"{field}s")
        for defense in study.defenses:
            if defense not in config.defenses:
                yield _unknown(f"{key}.defenses", defense, config.defenses, "defenses")
        for attack in study.attacks or []:
            if attack not in config.attacks:
                yield _unknown(f"{key}.attacks", attack, config.attacks, "attacks")
        yield from _check_seeds(key, study)
        if study.dataset in config.datasets:
            yield from _check_size(key, study, config.datasets[study.dataset])


def _check_seeds(key, study):
    seen = set()
    for block in study.seeds:
        seeds = seed_list(block)
        if not seeds:
            yield f"{key}.seeds: {block}: an empty range; write the smaller seed first"
        if seen & set(seeds):
            yield f"{key}.seeds: {block}: seed {min(seen & set(seeds))} is in another block too; let blocks not overlap"
        seen |= set(seeds)


def _check_size(key, study, dataset):
    """n_train against the data set's size, where its module states that as N_EXAMPLES (a number, or one per name)."""
    size = read_constant(module_name("data", dataset.kind), "N_EXAMPLES")
    if isinstance(size, dict):
        size = size.get(getattr(dataset, "name", None))
    for n in study.n_train:
        if size and 4 * n > size:
            yield (
                f"{key}.n_train: {n}: four disjoint splits need {4 * n} examples, {study.dataset} has {size}; "
                f"use at most {size // 4}"
            )


def _check_figures(config):
    for name, figure in config.figures.items():
        key = f"figures.{name}"
        if figure.study not in config.studies:
            yield _unknown(f"{key}.study", figure.study, config.studies, "studies")
            continue
        yield from _check_cell(key, figure, config.studies[figure.study])
        if figure.kind == "gallery" and not figure.queries:
            yield f"{key}.queries: []: a gallery shows query sets; name at least one"
        offered = config.studies[figure.study].attacks or list(config.attacks)
        for attack in [*(figure.attacks or []), *figure.lines]:
            if attack not in offered:
                yield _unknown(f"{key}.attacks", attack, offered, f"the attacks of {figure.study}")
        for query in figure.queries:
            if query not in config.queries:
                yield _unknown(f"{key}.queries", query, config.queries, "queries")
            elif observation(config.queries[query]) != "labels" or config.queries[query].kind == "original":
                yield f"{key}.queries: {query}: has no perturbed inputs to show; name query sets that perturb"


def _check_cell(key, figure, study):
    """Figures of single models must say which, where a study has several."""
    for field, offered in (("n_train", study.n_train), ("defense", study.defenses)):
        chosen, names = getattr(figure, field), ", ".join(map(str, offered))
        if chosen is not None and chosen not in offered:
            yield f"{key}.{field}: {chosen}: {figure.study} has only {names}; choose one of these"
        elif chosen is None and len(offered) > 1 and figure.kind not in ("bars", "gallery"):
            yield f"{key}.{field}: missing; {figure.study} has {names}: choose one of these"
