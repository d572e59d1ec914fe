# In: scores and tables of given models, and their splits. Out: results/audits/.
rule audit:
    """The pages of all given models."""
    input:
        PATHS.audits("report.html"),


rule write_audit:
    """A page on what attacks on a given model found, the same for programs and a model card, and all its records."""
    input:
        scores=PATHS.audit_scores,
        in_question=PATHS.audit_scores_in_question,
        dataset=PATHS.dataset_in_question,
        split=PATHS.first_split,
        table="results/tables/{study}.csv",
        alternatives=PATHS.alternatives,
    output:
        page=report(
            "results/audits/{study}/report.html",
            category="Audits",
            labels={"study": "{study}", "page": "report"},
        ),
        json="results/audits/{study}/report.json",
        card="results/audits/{study}/model-card.md",
        records="results/audits/{study}/records.csv",
    log:
        "results/logs/audits/{study}.log",
    benchmark:
        "results/benchmarks/audits/{study}.tsv"
    wildcard_constraints:
        study=any_of(PATHS.with_members()),
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        seeds=PARAMS.first_block,
        attacks=lambda wc: CONFIG.label_attacks_of(CONFIG.studies[wc.study]),
        about=PARAMS.audit_key,
        columns=PARAMS.told_columns,
        files=PARAMS.told_files,
        code=code("write_audit"),
    message:
        "Write what attacks on the model of {wildcards.study} found"
    script:
        "../scripts/write_audit.py"


rule compare_in_question:
    """The same where too few members are known: which records in question stand out from known others."""
    input:
        dataset=PATHS.dataset,
        split=PATHS.first_split,
        model=PATHS.first_model,
        known=PATHS.audit_observations,
        in_question=PATHS.audit_observations_in_question,
    output:
        page=report(
            "results/audits/{study}/report.html",
            category="Audits",
            labels={"study": "{study}", "page": "report"},
        ),
        json="results/audits/{study}/report.json",
        card="results/audits/{study}/model-card.md",
        records="results/audits/{study}/records.csv",
    log:
        "results/logs/audits/{study}.log",
    benchmark:
        "results/benchmarks/audits/{study}.tsv"
    wildcard_constraints:
        study=any_of(PATHS.with_others()),
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        seeds=PARAMS.first_block,
        attacks=PARAMS.label_attacks,
        about=PARAMS.audit_key,
        columns=PARAMS.told_columns,
        files=PARAMS.told_files,
        code=lambda wc: code("compare_in_question", *PARAMS.label_attack_modules(wc)),
    message:
        "Compare the records in question of {wildcards.study} with others that are known"
    script:
        "../scripts/compare_in_question.py"


rule decide_in_question:
    """The same where nothing is known: what thresholds that need no known record decide of records in question."""
    input:
        model=PATHS.first_model,
        in_question=PATHS.audit_observations_in_question,
    output:
        page=report(
            "results/audits/{study}/report.html",
            category="Audits",
            labels={"study": "{study}", "page": "report"},
        ),
        json="results/audits/{study}/report.json",
        card="results/audits/{study}/model-card.md",
        records="results/audits/{study}/records.csv",
    log:
        "results/logs/audits/{study}.log",
    benchmark:
        "results/benchmarks/audits/{study}.tsv"
    wildcard_constraints:
        study=any_of(PATHS.without_known()),
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(20),
    params:
        attacks=PARAMS.label_attacks,
        about=PARAMS.audit_key,
        columns=PARAMS.told_columns,
        files=PARAMS.told_files,
        code=lambda wc: code("decide_in_question", *PARAMS.label_attack_modules(wc)),
    message:
        "Decide on the records in question of {wildcards.study} without any that is known"
    script:
        "../scripts/decide_in_question.py"
