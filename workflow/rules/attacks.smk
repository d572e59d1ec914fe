# Membership of the shadow's points comes in, the target's does not.
rule score_attack:
    input:
        target=lambda wc: observations_of(wc, "target"),
        shadows=lambda wc: [observations_of(wc, role) for role in shadow_roles(wc)],
        splits=lambda wc: [
            f"results/splits/{RUN}/{role}.npz" for role in shadow_roles(wc)
        ],
    output:
        f"results/scores/{RUN}/{{attack}}.npz",
    log:
        f"results/logs/scores/{RUN}/{{attack}}.log",
    benchmark:
        f"results/benchmarks/scores/{RUN}/{{attack}}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        attack=lambda wc: spec(CONFIG.attacks[wc.attack]),
        observation=lambda wc: observation(
            CONFIG.queries[CONFIG.attacks[wc.attack].reads]
        ),
        code=lambda wc: code(
            "score_attack", module_of("attacks", CONFIG.attacks[wc.attack])
        ),
    message:
        "Score {wildcards.attack} on {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/score_attack.py"


def row_key(wildcards):
    """The columns of metrics.csv that are the same for a whole run of an attack."""
    study = CONFIG.studies[wildcards.study]
    return {
        "study": wildcards.study,
        "dataset": study.dataset,
        "n_train": n_train(wildcards),
        "model": study.model,
        "defense": wildcards.cell.split("-", 1)[1],
    }


def access(wildcards):
    kind = observation(CONFIG.queries[CONFIG.attacks[wildcards.attack].reads])
    return "confidence" if kind == "confidences" else "label"


rule measure_attack:
    input:
        scores=f"results/scores/{RUN}/{{attack}}.npz",
        split=f"results/splits/{RUN}/target.npz",
    output:
        f"results/measures/{RUN}/{{attack}}.csv",
    log:
        f"results/logs/measures/{RUN}/{{attack}}.log",
    benchmark:
        f"results/benchmarks/measures/{RUN}/{{attack}}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        key=lambda wc: row_key(wc) | {"attack": wc.attack, "access": access(wc)},
        metrics=spec(CONFIG.metrics),
        code=code("measure_attack"),
    message:
        "Measure {wildcards.attack} on {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/measure_attack.py"


rule measure_models:
    input:
        f"results/models/{RUN}/target.npz",
    output:
        f"results/model_measures/{RUN}.csv",
    log:
        f"results/logs/model_measures/{RUN}.log",
    benchmark:
        f"results/benchmarks/model_measures/{RUN}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        key=row_key,
        code=code("measure_models"),
    message:
        "Measure the target models of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/measure_models.py"


def all_measures(wildcards):
    files = []
    for name, study in CONFIG.studies.items():
        files += of_attacks(
            "results/measures/" + RUN + "/{attack}.csv", name, attacks_of(study)
        )
        files += of_attacks("results/model_measures/" + RUN + ".csv", name, [""])
    return files


rule tabulate_metrics:
    input:
        all_measures,
    output:
        report(
            "results/metrics.csv",
            caption="../report/metrics.rst",
            category="Tables",
            labels={"table": "all metrics"},
        ),
    log:
        "results/logs/metrics.log",
    benchmark:
        "results/benchmarks/metrics.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        resamples=CONFIG.metrics.resamples,
        code=code("tabulate_metrics"),
    message:
        "Tabulate all metrics, with rows over seeds"
    script:
        "../scripts/tabulate_metrics.py"
