"""Members and non-members of one role, for every seed of a block."""

from collections.abc import Sequence

import numpy as np

from lmia import artifacts
from lmia.asked_points import evaluated_ids
from lmia.box import Box
from lmia.canaries import KINDS, draw_canaries
from lmia.data import csv, npz
from lmia.data.equal_inputs import number_inputs
from lmia.splits import draw_block, draw_examples, draw_in_question, draw_shadow, known_split, role_parts
from lmia.streams import seed_list
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def draw(
    dataset: str,
    output: str,
    n_train: int,
    n_nonmembers: int | None,
    scheme: str,
    pool: int | None,
    seeds: list[int],
    role: str,
    study: str,
    canaries: int = 0,
    canary_kind: str = KINDS[0],
) -> None:
    """Write a split for models that are trained here.

    n_nonmembers: None for as many as members; pool: its number, None for a study that is none; study: its name, which
    is blamed for a data set that is too small.
    """
    arrays, _ = artifacts.load(dataset, "dataset", {"classes": ("i", 1)})
    with bad_input(f"studies.{study}"):  # of a data set whose size is known only now
        split = draw_block(scheme, len(arrays["classes"]), n_train, seeds, role, n_nonmembers, pool or 0)
        if canaries:
            examples = draw_examples(len(arrays["classes"]), 2 * n_train, pool or 0)
            drawn = {"kind": canary_kind, "shape": arrays["inputs"].shape[1:], "box": Box.from_arrays(arrays)}
            split |= draw_canaries(examples, arrays["classes"], canaries, pool or 0, **drawn)
    artifacts.save(output, "split", split, {"scheme": scheme, "seeds": seeds, "role": role})


def take_known(
    dataset: str,
    output: str,
    membership: np.ndarray,
    seeds: list[int],
    role: str,
    in_question: int | None,
    kinds: Sequence[str],
    n_train: int,
    evaluated: int | None,
    name: str,
) -> None:
    """Write a split of the records by which a given model, or a shadow of it, is judged.

    membership: of the data set's records, as `load_known` gives it; in_question: at most so many of those of which
    nobody knows, None for none; kinds: that are needed; evaluated: at most so many of each are judged, None for all;
    name: of the data set, which is blamed.
    """
    data, _ = artifacts.load(dataset, "dataset", {"classes": ("i", 1)})
    with bad_input(f"datasets.{name}"):
        same = number_inputs(data["inputs"])
        members, nonmembers, n_left_out = known_split(membership, same, kinds)
        arrays = {"members": members[None], "nonmembers": nonmembers[None]}
        if in_question is not None:
            ids, n_twins = draw_in_question(membership, same, seeds[0], in_question)
            arrays["in_question"] = ids[None]
            print(f"{len(ids)} records are in question; {n_twins} are not, as they have the inputs of a known one")
    if role.startswith("shadow"):
        judged = evaluated_ids(members, nonmembers, seeds[0], evaluated)
        of_shadow = (judged, data["classes"], same, n_train, seeds[0], role_parts(role)[1])
        avoided = np.setdiff1d(members, judged)  # no search of the given model starts there
        drawn = zip(("members", "nonmembers", "others", "avoided"), (*draw_shadow(*of_shadow), avoided), strict=True)
        arrays = {part: ids[None] for part, ids in drawn}
        n_own, n_others = (arrays[part].shape[1] for part in ("members", "others"))
        print(f"the shadow is trained on {n_own} of the records that are judged, and on {n_others} beside them")
    artifacts.save(output, "split", arrays, {"scheme": "given", "seeds": seeds, "role": role})
    print(f"{len(members)} members and {len(nonmembers)} non-members are known; as many of each are judged")
    print(f"{n_left_out} known examples are left out, whose inputs are those of another")


if __name__ == "__main__":
    params, study = snakemake.params, snakemake.wildcards.study
    known = dict(params.membership or {})
    with job(snakemake):
        if not known:
            draw(
                dataset=snakemake.input.dataset,
                output=snakemake.output[0],
                n_train=params.n_train,
                n_nonmembers=params.n_nonmembers,
                scheme=params.scheme,
                pool=params.pool,
                canaries=params.canaries,
                canary_kind=params.canary_kind,
                seeds=seed_list(params.seeds),
                role=params.role,
                study=study,
            )
        else:
            name = snakemake.config["studies"][study]["dataset"]
            with bad_input(f"datasets.{name}"):
                read = {"npz": npz.load_known, "csv": csv.load_known}[known.pop("kind")]
                membership = read(snakemake.config["datasets"][name]["path"], **known)
            take_known(
                dataset=snakemake.input.dataset,
                output=snakemake.output[0],
                membership=membership,
                seeds=seed_list(params.seeds),
                role=params.role,
                in_question=params.in_question,
                kinds=params.kinds,
                n_train=params.n_train,
                evaluated=params.evaluated,
                name=name,
            )
