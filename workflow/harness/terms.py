"""How a given model is asked and paid: options that change no answer, and so are no params of jobs."""

from typing import Any


def terms_of(snakemake: Any) -> dict[str, Any]:
    """Options of the model that a job asks, which its `build` takes as well; none of models that are trained here.

    snakemake: the object that Snakemake hands its script.
    """
    if snakemake.wildcards.get("role", "target").startswith("shadow"):
        return {}  # a trainer's, or one that has none
    study = snakemake.config["studies"][snakemake.wildcards.study]
    return snakemake.config["terms"].get(study["model"], {})
