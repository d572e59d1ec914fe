rule ask_queries:
    input:
        dataset=dataset_of,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        model="results/models/{study}/{cell}/{seeds}/{role}.npz",
    output:
        "results/answers/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/answers/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/answers/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=any_of(queries_yielding("labels")),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
        gpu=1,
    params:
        seeds="{seeds}",
        model=model_params,
        evaluated=evaluated,
        name="{query}",
        query=lambda wc: perturbation_spec(CONFIG.queries[wc.query]),
        precision=precision_spec,
        files=lambda wc: model_files(wc, CONFIG.queries[wc.query]),
        code=lambda wc: code(
            "ask_queries",
            model_module(wc),
            module_of("perturbations", CONFIG.queries[wc.query]),
        ),
    message:
        "Ask the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}: {wildcards.query}"
    script:
        "../scripts/ask_queries.py"


rule search_boundary:
    input:
        dataset=dataset_of,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        model="results/models/{study}/{cell}/{seeds}/{role}.npz",
        stopping=stopping_of,
    output:
        "results/distances/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/distances/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/distances/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=any_of(queries_yielding("distances")),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(720),
        gpu=1,
    params:
        seeds="{seeds}",
        model=model_params,
        evaluated=evaluated,
        name="{query}",
        query=search_spec,
        files=model_files,
        code=lambda wc: code(
            "search_boundary",
            model_module(wc),
            *(["lmia.boundary.stopping"] if stopping_of(wc) else []),
        ),
    message:
        "Search the boundary of the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}: {wildcards.query}"
    script:
        "../scripts/search_boundary.py"


# From the shadows' finished searches and their membership: when the target's searches need no more queries.
rule tune_stopping:
    input:
        shadows=lambda wc: [
            f"results/distances/{wc.study}/{wc.cell}/{wc.seeds}/{role}/{wc.query}.npz"
            for role in shadow_roles(wc)
        ],
        splits=shadow_splits,
    output:
        "results/stopping/{study}/{cell}/{seeds}/{query}.npz",
    log:
        "results/logs/stopping/{study}/{cell}/{seeds}/{query}.log",
    benchmark:
        "results/benchmarks/stopping/{study}/{cell}/{seeds}/{query}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        seeds="{seeds}",
        error=lambda wc: CONFIG.queries[wc.query].stop_error,
        code=code("tune_stopping"),
    message:
        "Learn when {wildcards.query} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds} may stop"
    script:
        "../scripts/tune_stopping.py"


# The only rule whose artifacts hold confidences: nothing that a label-only attack reads comes from here.
rule read_confidences:
    input:
        dataset=dataset_of,
        split=of_models("results/splits/{study}/{cell}/{seeds}/{role}.npz"),
        model=of_models("results/models/{study}/{cell}/{seeds}/{role}.npz"),
    output:
        "results/confidences/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/confidences/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/confidences/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=any_of(queries_yielding("confidences")),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
        gpu=1,
    params:
        seeds="{seeds}",
        model=model_params,
        evaluated=evaluated,
        defense=mask_spec,
        files=lambda wc: model_files(wc, defense(wc)),
        code=lambda wc: code(
            "read_confidences", model_module(wc), module_of("defenses", defense(wc))
        ),
    message:
        "Read confidences of the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/read_confidences.py"


# The only rule that takes a model's gradients: nothing that a label-only attack reads comes from here.
rule follow_gradients:
    input:
        dataset=dataset_of,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        model="results/models/{study}/{cell}/{seeds}/{role}.npz",
    output:
        "results/white_box/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/white_box/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/white_box/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=any_of(queries_yielding("white_box")),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
        gpu=1,
    params:
        seeds="{seeds}",
        model=model_params,
        evaluated=evaluated,
        query=lambda wc: spec(CONFIG.queries[wc.query]),
        files=model_files,
        code=lambda wc: code("follow_gradients", model_module(wc)),
    message:
        "Follow gradients of the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}: {wildcards.query}"
    script:
        "../scripts/follow_gradients.py"
