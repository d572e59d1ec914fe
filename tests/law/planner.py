"""Plans a checkout's jobs without running any: `python planner.py`, then one line of JSON for each plan.

A request is {"folder": ..., "answer": ..., "forge": ...}. The answer, a JSON file, has Snakemake's exit code, what it
printed, and each job with its outputs, inputs and params, whether it is planned, and whether its result was taken. With
`forge`, all results are made up first, each with the record of what its job would make it from. Each plan is made by a
process of its own, forked from this one, which has imported Snakemake and nothing of the checkout. Plans end where
Snakemake would begin to print their jobs, which takes it as long as a quarter of the plan.
"""

import atexit
import contextlib
import functools
import json
import os
import sys

import numpy as np
import smart_open  # noqa: F401 - plans import it
import snakemake.cli
import snakemake.rules
from snakemake.dag import DAG
from snakemake.scheduling.job_scheduler import JobScheduler

ARGUMENTS = ["--cores", "1", "--dry-run"]


def watched(answer, forge):
    """Have DAGs of this process told in `answer`; Snakefiles lay their own judgement around this one."""
    planned = DAG.update_needrun

    async def update_needrun(dag, *arguments, **options):
        if forge:
            make_up(dag)
        await planned(dag, *arguments, **options)
        taken = answer.setdefault("planned before", [])
        answer["jobs"] = [told(dag, job) for job in dag.jobs]
        taken.append([output for job in answer["jobs"] if job["planned"] for output in job["outputs"]])

    DAG.update_needrun = update_needrun
    JobScheduler.schedule = lambda scheduler: True
    snakemake.rules.get_function_params = functools.cache(snakemake.rules.get_function_params)  # of each rule, not job


def told(dag, job):
    return {
        "rule": job.rule.name,
        "outputs": list(map(str, job.output)),
        "inputs": {name: files for name, files in inputs_of(job).items()},
        "params": dict(job.params.items()) if job.output else {},
        "planned": bool(dag.needrun(job)),
    }


def inputs_of(job):
    from workflow.harness import result_records

    return result_records.named(job.input)


def make_up(dag):
    """Write a file for each output, which says that it was made from what its job would make it from."""
    from lmia import artifacts
    from workflow.harness import checksums, local_store, result_records

    for job in (job for level in dag.toposorted() for job in level if job.output):
        inputs = {name: list(map(result_records.state, files)) for name, files in inputs_of(job).items()}
        record = result_records.record_of(job.params.items(), inputs)
        for output in map(str, job.output):
            os.makedirs(os.path.dirname(output), exist_ok=True)
            if checksums.lies_apart(output):
                with open(output, "w") as file:
                    file.write(record["key"])
                for place, text in (
                    (checksums.place_of(output), checksums.line_of(output, output)),
                    (checksums.made_of(output), result_records.text_beside(output, record)),
                ):
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_text(text)
            else:
                artifacts.save(output, "made up", {"none": np.zeros(1)}, {"key": record["key"]})
                result_records.sign(output, record)
        local_store.keep(record, list(map(str, job.output)), job.output)


def plan(request):
    """Answer one request, in a process that ends then."""
    answer = {"code": 0}
    os.chdir(request["folder"])
    watched(answer, request.get("forge", False))
    printed = f"{request['answer']}.txt"
    with open(printed, "w") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        try:
            snakemake.cli.main([*ARGUMENTS, *request.get("arguments", [])])
        except SystemExit as ended:
            answer["code"] = ended.code
    with open(printed) as file:
        answer["printed"] = file.read()
    with open(request["answer"], "w") as file:
        json.dump(answer, file)


def main():
    snakemake.cli.get_argument_parser()  # which imports all plug-ins of Snakemake
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                plan(json.loads(line))
            finally:
                atexit._run_exitfuncs()
                os._exit(0)
        os.waitpid(child, 0)
        print("done", flush=True)


if __name__ == "__main__":
    main()
