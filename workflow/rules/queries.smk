rule ask_queries:
    input:
        dataset=dataset_of,
        split=f"results/splits/{RUN}/{{role}}.npz",
        model=f"results/models/{RUN}/{{role}}.npz",
    output:
        f"results/answers/{RUN}/{{role}}/{{query}}.npz",
    log:
        f"results/logs/answers/{RUN}/{{role}}/{{query}}.log",
    benchmark:
        f"results/benchmarks/answers/{RUN}/{{role}}/{{query}}.tsv"
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
        query=lambda wc: spec(CONFIG.queries[wc.query]),
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
        split=f"results/splits/{RUN}/{{role}}.npz",
        model=f"results/models/{RUN}/{{role}}.npz",
    output:
        f"results/distances/{RUN}/{{role}}/{{query}}.npz",
    log:
        f"results/logs/distances/{RUN}/{{role}}/{{query}}.log",
    benchmark:
        f"results/benchmarks/distances/{RUN}/{{role}}/{{query}}.tsv"
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
        query=lambda wc: spec(CONFIG.queries[wc.query]),
        code=lambda wc: code("search_boundary", model_module(wc)),
    message:
        "Search the boundary of the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}: {wildcards.query}"
    script:
        "../scripts/search_boundary.py"


# The only rule whose artifacts hold confidences: nothing that a label-only attack reads comes from here.
rule read_confidences:
    input:
        dataset=dataset_of,
        split=f"results/splits/{RUN}/{{role}}.npz",
        model=f"results/models/{RUN}/{{role}}.npz",
    output:
        f"results/confidences/{RUN}/{{role}}/{{query}}.npz",
    log:
        f"results/logs/confidences/{RUN}/{{role}}/{{query}}.log",
    benchmark:
        f"results/benchmarks/confidences/{RUN}/{{role}}/{{query}}.tsv"
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
