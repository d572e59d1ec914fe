# Membership of the shadow's points comes in, the target's does not.
rule score_attack:
    input:
        target=lambda wc: observations_of(wc, "target"),
        shadows=lambda wc: [observations_of(wc, role) for role in shadow_roles(wc)],
        splits=shadow_splits,
    output:
        "results/scores/{study}/{cell}/{seeds}/{attack}.npz",
    log:
        "results/logs/scores/{study}/{cell}/{seeds}/{attack}.log",
    benchmark:
        "results/benchmarks/scores/{study}/{cell}/{seeds}/{attack}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        seeds="{seeds}",
        attack=lambda wc: spec(CONFIG.attacks[wc.attack]),
        files=lambda wc: files(CONFIG.attacks[wc.attack]),
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


rule measure_attack:
    input:
        scores="results/scores/{study}/{cell}/{seeds}/{attack}.npz",
        split=of_models("results/splits/{study}/{cell}/{seeds}/target.npz"),
        outliers=outliers_of,
    output:
        "results/measures/{study}/{cell}/{seeds}/{attack}.csv",
    log:
        "results/logs/measures/{study}/{cell}/{seeds}/{attack}.log",
    benchmark:
        "results/benchmarks/measures/{study}/{cell}/{seeds}/{attack}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        seeds="{seeds}",
        key=lambda wc: row_key(wc) | {"attack": wc.attack, "access": access(wc)},
        metrics=spec(CONFIG.metrics),
        code=code("measure_attack"),
    message:
        "Measure {wildcards.attack} on {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/measure_attack.py"


rule measure_models:
    input:
        target=of_models("results/models/{study}/{cell}/{seeds}/target.npz"),
        shadows=lambda wc: [
            f"results/models/{wc.study}/{trained(wc.cell)}/{wc.seeds}/{role}.npz"
            for role in shadow_roles(wc)
        ],
    output:
        "results/model_measures/{study}/{cell}/{seeds}.csv",
    log:
        "results/logs/model_measures/{study}/{cell}/{seeds}.log",
    benchmark:
        "results/benchmarks/model_measures/{study}/{cell}/{seeds}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        seeds="{seeds}",
        key=row_key,
        n_nonmembers=n_nonmembers,
        code=code("measure_models"),
    message:
        "Measure the models of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/measure_models.py"


# One table per study, so that a figure waits for no other study than its own.
rule tabulate_study:
    input:
        study_measures,
    output:
        "results/tables/{study}.csv",
    log:
        "results/logs/tables/{study}.log",
    benchmark:
        "results/benchmarks/tables/{study}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        resamples=CONFIG.metrics.resamples,
        gap=lambda wc: gap_attack(CONFIG, CONFIG.studies[wc.study]),
        code=code("tabulate_study"),
    message:
        "Tabulate {wildcards.study}, with rows over seeds"
    script:
        "../scripts/tabulate_study.py"


rule tabulate_metrics:
    input:
        expand("results/tables/{study}.csv", study=CONFIG.studies),
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
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        code=code("tabulate_metrics"),
    message:
        "Put the tables of all studies together"
    script:
        "../scripts/tabulate_metrics.py"
