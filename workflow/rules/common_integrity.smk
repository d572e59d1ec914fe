# Which artifacts, tables and figures there are once everything of the configuration is done.
import os
from types import SimpleNamespace


def artifacts_of(study):
    """Paths of all artifacts of a study."""
    entry = CONFIG.studies[study]
    for cell, seeds in [
        (cell, seeds) for cell in cells(entry) for seeds in entry.seeds
    ]:
        run = SimpleNamespace(study=study, cell=cell, seeds=seeds)
        yield dataset_of(run)
        for role in ["target", *shadow_roles(run)]:
            yield f"results/splits/{study}/{trained(cell)}/{seeds}/{role}.npz"
            yield f"results/models/{study}/{trained(cell)}/{seeds}/{role}.npz"
        if outliers := outliers_of(run):
            yield outliers
        for run.attack in attacks_of(CONFIG, entry):
            query = CONFIG.attacks[run.attack].reads
            if stops_early(CONFIG.queries[query]):
                yield f"results/stopping/{study}/{trained(cell)}/{seeds}/{query}.npz"
            for role in ["target", *shadow_roles(run)]:
                yield observations_of(run, role)
            yield f"results/scores/{study}/{cell}/{seeds}/{run.attack}.npz"


def tables_and_figures():
    """Paths of all remarks, tables and figures, and of those exhibits that were asked for."""
    yield from expand("results/checks/{study}.txt", study=CONFIG.studies)
    yield from (
        path
        for study in CONFIG.studies
        for path in study_measures(SimpleNamespace(study=study))
    )
    yield from expand("results/tables/{study}.csv", study=CONFIG.studies)
    yield "results/metrics.csv"
    yield from expand(
        "results/figures/{figure}.{format}",
        figure=CONFIG.figures,
        format=["png", "pdf"],
    )
    yield from filter(
        os.path.exists,
        (
            f"results/exhibits/{exhibit}/{file}"
            for exhibit in CONFIG.exhibits
            for file in ("comparison.csv", "checks.csv", f"{exhibit}.md")
        ),
    )


def all_results():
    """All of these, each path once."""
    artifacts = (path for study in CONFIG.studies for path in artifacts_of(study))
    return list(dict.fromkeys([*artifacts, *tables_and_figures()]))
