# In: what models answered, and splits.
# Out: results/scores/, scores_in_question/, measures/, pool_measures/, epsilon/, differences/, model_measures/, outliers/, tables/, metrics.csv.
# Membership of the shadow's points comes in, the target's does not.
rule score_attack:
    """The membership score of each of the target's points, with everything chosen on the shadows."""
    input:
        target=PATHS.target_observations,
        shadows=PATHS.shadow_observations,
        splits=PATHS.of_shadows("results/splits/{models}/{role}.npz"),
    output:
        "results/scores/{study}/{cell}/{seeds}/{attack}.npz",
    log:
        "results/logs/scores/{study}/{cell}/{seeds}/{attack}.log",
    benchmark:
        "results/benchmarks/scores/{study}/{cell}/{seeds}/{attack}.tsv"
    wildcard_constraints:
        study=studies_of("disjoint", "halves"),
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        seeds="{seeds}",
        attack=PARAMS.attack,
        files=lambda wc: PARAMS.files(CONFIG.attacks[wc.attack]),
        observation=PARAMS.observation,
        code=code_for("score_attack", lambda wc: CONFIG.attacks[wc.attack]),
    message:
        "Score {wildcards.attack} on {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/score_attack.py"


# The splits have the membership of the targets too: `lmia.calibration.pools.judge_targets` keeps it from each of them.
rule score_pool:
    """The membership score of each point under some models of a pool, by the others but for their partners."""
    input:
        targets=PATHS.target_observations,
        models=PATHS.pool_observations,
        splits=PATHS.of_blocks("results/splits/{models}/target.npz"),
    output:
        "results/scores/{study}/{cell}/{seeds}/{attack}.npz",
    log:
        "results/logs/scores/{study}/{cell}/{seeds}/{attack}.log",
    benchmark:
        "results/benchmarks/scores/{study}/{cell}/{seeds}/{attack}.tsv"
    wildcard_constraints:
        study=studies_of("pool"),
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        seeds="{seeds}",
        blocks=PARAMS.blocks,
        attack=lambda wc: plain(CONFIG.attacks[wc.attack]),
        calibrates=lambda wc: CONFIG.attacks[wc.attack].calibrates,
        files=lambda wc: PARAMS.files(CONFIG.attacks[wc.attack]),
        observation=PARAMS.observation,
        code=code_for("score_pool", lambda wc: CONFIG.attacks[wc.attack]),
    message:
        "Score {wildcards.attack} on the pool {wildcards.study}, {wildcards.cell}, models {wildcards.seeds}"
    script:
        "../scripts/score_pool.py"


# The split has the membership of all known records: `lmia.attacks.known_records` keeps it from those that are judged.
rule score_given:
    """The membership score of each known record of a given model, each half by what the other half or shadows teach."""
    input:
        target=PATHS.target_observations,
        shadows=PATHS.shadow_observations,
        splits=PATHS.of_shadows("results/splits/{models}/{role}.npz"),
        split="results/splits/{study}/{cell}/{seeds}/target.npz",
    output:
        "results/scores/{study}/{cell}/{seeds}/{attack}.npz",
    log:
        "results/logs/scores/{study}/{cell}/{seeds}/{attack}.log",
    benchmark:
        "results/benchmarks/scores/{study}/{cell}/{seeds}/{attack}.tsv"
    wildcard_constraints:
        study=studies_of("given"),
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        seeds="{seeds}",
        attack=PARAMS.attack,
        files=lambda wc: PARAMS.files(CONFIG.attacks[wc.attack]),
        observation=PARAMS.observation,
        code=code_for("score_given", lambda wc: CONFIG.attacks[wc.attack]),
    message:
        "Score {wildcards.attack} on the model of {wildcards.study}, {wildcards.cell}"
    script:
        "../scripts/score_given.py"


rule score_in_question:
    """The membership score of records in question, each by what known records of the other half, or shadows, teach."""
    input:
        target=PATHS.target_observations,
        in_question=PATHS.observations_in_question,
        shadows=PATHS.shadow_observations,
        splits=PATHS.of_shadows("results/splits/{models}/{role}.npz"),
        split="results/splits/{study}/{cell}/{seeds}/target.npz",
    output:
        "results/scores_in_question/{study}/{cell}/{seeds}/{attack}.npz",
    log:
        "results/logs/scores_in_question/{study}/{cell}/{seeds}/{attack}.log",
    benchmark:
        "results/benchmarks/scores_in_question/{study}/{cell}/{seeds}/{attack}.tsv"
    wildcard_constraints:
        study=studies_of("given"),
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        seeds="{seeds}",
        attack=PARAMS.attack_in_question,
        files=lambda wc: PARAMS.files(CONFIG.attacks[wc.attack]),
        observation=PARAMS.observation,
        code=code_for("score_in_question", lambda wc: CONFIG.attacks[wc.attack]),
    message:
        "Score {wildcards.attack} on the records in question of {wildcards.study}, {wildcards.cell}"
    script:
        "../scripts/score_in_question.py"


rule measure_attack:
    """Metrics of one attack with their intervals: here the target's membership comes in."""
    input:
        scores="results/scores/{study}/{cell}/{seeds}/{attack}.npz",
        split=PATHS.of_models("results/splits/{study}/{cell}/{seeds}/target.npz"),
        outliers=PATHS.outliers,
        gap=PATHS.gap_scores,
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
        key=PARAMS.attack_key,
        metrics=plain(CONFIG.metrics),
        code=code("measure_attack"),
    message:
        "Measure {wildcards.attack} on {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/measure_attack.py"


rule measure_pool:
    """Metrics of one attack over all models of a pool together, with intervals over models and points."""
    input:
        scores=PATHS.of_blocks("results/scores/{study}/{cell}/{seeds}/{attack}.npz"),
        splits=PATHS.of_blocks("results/splits/{models}/target.npz"),
    output:
        "results/pool_measures/{study}/{cell}/{attack}.csv",
    log:
        "results/logs/pool_measures/{study}/{cell}/{attack}.log",
    benchmark:
        "results/benchmarks/pool_measures/{study}/{cell}/{attack}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        blocks=PARAMS.blocks,
        key=PARAMS.attack_key,
        metrics=plain(CONFIG.metrics),
        code=code("measure_pool"),
    message:
        "Measure {wildcards.attack} on the pool {wildcards.study}, {wildcards.cell}"
    script:
        "../scripts/measure_pool.py"


rule bound_epsilon:
    """Lower bounds on the epsilon of a pool's training, by what one attack guesses of the coins of each model."""
    input:
        scores=PATHS.of_blocks("results/scores/{study}/{cell}/{seeds}/{attack}.npz"),
        splits=PATHS.of_blocks("results/splits/{models}/target.npz"),
    output:
        "results/epsilon/{study}/{cell}/{attack}.csv",
    log:
        "results/logs/epsilon/{study}/{cell}/{attack}.log",
    benchmark:
        "results/benchmarks/epsilon/{study}/{cell}/{attack}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        blocks=PARAMS.blocks,
        key=PARAMS.attack_key,
        epsilon=lambda wc: plain(CONFIG.studies[wc.study].epsilon),
        code=code("bound_epsilon"),
    message:
        "Bound epsilon by {wildcards.attack} on the pool {wildcards.study}, {wildcards.cell}"
    script:
        "../scripts/bound_epsilon.py"


rule compare_pool:
    """By how much each attack is above each other on the same models and points."""
    input:
        scores=PATHS.pool_scores,
        splits=PATHS.of_blocks("results/splits/{models}/target.npz"),
    output:
        "results/differences/{study}/{cell}.csv",
    log:
        "results/logs/differences/{study}/{cell}.log",
    benchmark:
        "results/benchmarks/differences/{study}/{cell}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        blocks=PARAMS.blocks,
        attacks=lambda wc: CONFIG.attacks_of(CONFIG.studies[wc.study]),
        key=PARAMS.row_key,
        metrics=plain(CONFIG.metrics),
        code=code("compare_pool"),
    message:
        "Compare the attacks on the pool {wildcards.study}, {wildcards.cell}"
    script:
        "../scripts/compare_pool.py"


rule measure_models:
    """Train and test accuracy of targets and shadows, and what privacy a defense guarantees."""
    input:
        target=PATHS.of_models("results/models/{study}/{cell}/{seeds}/target.npz"),
        shadows=PATHS.of_shadows("results/models/{models}/{role}.npz"),
        split=PATHS.of_models("results/splits/{study}/{cell}/{seeds}/target.npz"),
        splits=PATHS.of_shadows("results/splits/{models}/{role}.npz"),
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
        key=PARAMS.row_key,
        code=code("measure_models"),
    message:
        "Measure the models of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/measure_models.py"


# One table per study, so that a figure waits for no other study than its own.
rule tabulate_study:
    """All measures of one study, with rows over seeds."""
    input:
        PATHS.measures,
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
        code=code("tabulate_study"),
    message:
        "Tabulate {wildcards.study}, with rows over seeds"
    script:
        "../scripts/tabulate_study.py"


rule tabulate_metrics:
    """The tables of all studies as one: results/metrics.csv."""
    input:
        PATHS.tables(),
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


rule find_outliers:
    """Which of the target's points have few neighbours among the features of a shadow model."""
    input:
        dataset=PATHS.dataset,
        split="results/splits/{study}/{cell}/{seeds}/target.npz",
        model="results/models/{study}/{cell}/{seeds}/shadow0.npz",
    output:
        "results/outliers/{study}/{cell}/{seeds}.npz",
    log:
        "results/logs/outliers/{study}/{cell}/{seeds}.log",
    benchmark:
        "results/benchmarks/outliers/{study}/{cell}/{seeds}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        **GPU_PARTITION,
        mem_mb=growing(4000),
        runtime=growing(60),
        gpu=1,
    params:
        seeds="{seeds}",
        model=PARAMS.model,
        evaluated=PARAMS.evaluated,
        pool=PARAMS.pool,
        outliers=lambda wc: plain(CONFIG.studies[wc.study].outliers),
        files=PARAMS.model_files,
        code=code_for("find_outliers", PARAMS.model_entry),
    message:
        "Find outliers of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/find_outliers.py"
