# `snakemake verify` reads what is there, and builds nothing: no inputs. It has no output either, so it always runs.
rule verify:
    log:
        "results/logs/verify.log",
    localrule: True
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(5000),
        runtime=growing(240),
    params:
        paths=lambda wc: all_results(),
    message:
        "Verify all results that are there"
    script:
        "../scripts/verify.py"
