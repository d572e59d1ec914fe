# What the rules of figures.smk and exhibits.smk read, and how the report files what they write.
from workflow.exhibits import exhibit_cells, exhibit_claims
from workflow.families import families, strengths

# For report/figure.rst.
config["captions"] = {name: figure.said() for name, figure in CONFIG.figures.items()}


def figures_from(results):
    return any_of(
        name for name, figure in CONFIG.figures.items() if figure.drawn_from == results
    )


def figure_output():
    return report(
        "results/figures/{figure}.png",
        caption="../report/figure.rst",
        category="Figures",
        subcategory="{figure}",
        labels={"figure": "{figure}"},
    )


def figure_spec(wildcards):
    figure = CONFIG.figures[wildcards.figure]
    if figure.kind == "gallery":
        return {key: value for key, value in spec(figure).items() if key != "study"}
    study = CONFIG.studies[figure.study]
    settings = spec(figure) | {"attacks": figure.attacks or attacks_of(CONFIG, study)}
    if figure.kind == "strengths":
        settings["strengths"] = strengths(CONFIG, study, figure.family)
    if figure.kind == "tradeoff":
        settings["families"] = families(CONFIG, study)
    if figure.kind == "histogram":
        query = CONFIG.attacks[settings["attacks"][0]].reads
        settings["observation"] = observation(CONFIG.queries[query])
    return settings


def figure_tables(wildcards):
    figure = CONFIG.figures[wildcards.figure]
    return expand("results/tables/{study}.csv", study=figure.all_studies())


def figure_code(stage):
    return lambda wc: code(stage, f"lmia.figures.{CONFIG.figures[wc.figure].kind}")


def figure_cell(figure):
    """The one cell that a figure of single models shows."""
    study = CONFIG.studies[figure.study]
    return (
        f"n{figure.n_train or study.n_train[0]}-{figure.defense or study.defenses[0]}"
    )


def of_figure(template, wildcards):
    """Paths of the blocks of seeds, and of the attacks, that a figure of single models shows."""
    figure = CONFIG.figures[wildcards.figure]
    return expand(
        template,
        study=figure.study,
        cell=figure_cell(figure),
        seeds=CONFIG.studies[figure.study].seeds,
        attack=figure_spec(wildcards)["attacks"],
    )


def figure_scores(wildcards):
    return of_figure("results/scores/{study}/{cell}/{seeds}/{attack}.npz", wildcards)


def figure_splits(wildcards):
    """The target's split of each file of scores, in their order."""
    return [target_split(CONFIG, path) for path in figure_scores(wildcards)]


def figure_measures(wildcards):
    """The measures of these attacks and of their models."""
    attacks = of_figure(
        "results/measures/{study}/{cell}/{seeds}/{attack}.csv", wildcards
    )
    models = of_figure("results/model_measures/{study}/{cell}/{seeds}.csv", wildcards)
    return attacks + list(dict.fromkeys(models))


def gallery_queries(wildcards):
    return {
        name: CONFIG.queries[name] for name in CONFIG.figures[wildcards.figure].queries
    }


def exhibit_tables(wildcards):
    """The tables of those of the paper's studies that this configuration has."""
    paper = CONFIG.exhibits[wildcards.exhibit].paper
    return [f"results/tables/{study}.csv" for study in paper if study in CONFIG.studies]


def exhibit_checks(exhibit):
    """The remarks on its studies: they come first, before long work."""
    paper = CONFIG.exhibits[exhibit].paper
    return [f"results/checks/{study}.txt" for study in paper if study in CONFIG.studies]


def exhibit_files(kind):
    """An input function: files of one kind of all sides that an exhibit's claims compare."""
    return lambda wc: sorted(
        {
            path
            for claim in exhibit_claims(CONFIG, wc.exhibit)
            for side in claim["sides"]
            for path in side[kind]
        }
    )


def exhibit_output(table):
    return report(
        f"results/exhibits/{{exhibit}}/{table}.csv",
        caption="../report/exhibit.rst",
        category="Beside the paper",
        subcategory="{exhibit}",
        labels={"exhibit": "{exhibit}", "table": table},
    )
