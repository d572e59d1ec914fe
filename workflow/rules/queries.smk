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
        mem_mb=4000,
        runtime=240,
        gpu=1,
    params:
        model=model_params,
        query=lambda wc: perturbation_spec(CONFIG.queries[wc.query]),
        precision=precision_spec,
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
        mem_mb=4000,
        runtime=720,
        gpu=1,
    params:
        model=model_params,
        query=search_spec,
        code=lambda wc: code(
            "search_boundary",
            model_module(wc),
            *(["lmia.stopping"] if stopping_of(wc) else []),
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
        mem_mb=2000,
        runtime=30,
    params:
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
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        model="results/models/{study}/{cell}/{seeds}/{role}.npz",
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
        mem_mb=4000,
        runtime=60,
        gpu=1,
    params:
        model=model_params,
        defense=lambda wc: spec(defense(wc)),
        code=lambda wc: code(
            "read_confidences", model_module(wc), module_of("defenses", defense(wc))
        ),
    message:
        "Read confidences of the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/read_confidences.py"
