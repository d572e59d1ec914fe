"""How often an audit says that a forest leaks where nothing is to be found: `python benchmarks/null_audits.py [ADULT]`.

A forest on people of Adult is asked about others, none of whom it was trained on, by the attacks of an audit of a
table. Which of them are called members is drawn anew for each audit. ADULT: see people.py.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from people import pipeline, read  # noqa: E402

from lmia.attacks import classifier, difficulty, gap  # noqa: E402
from lmia.attacks.known_records import halves, run_on_halves  # noqa: E402
from lmia.attacks.observations import Answers, Compared  # noqa: E402
from lmia.audit.verdict import Finding, accuracy_of, errors_of, judge  # noqa: E402
from lmia.data.equal_inputs import number_inputs  # noqa: E402
from lmia.label_function import as_network  # noqa: E402
from lmia.perturbations.table import Perturbation  # noqa: E402
from lmia.queries.fixed_queries import ask_fixed  # noqa: E402
from lmia.queries.references import ask_references  # noqa: E402
from lmia.streams import streams  # noqa: E402
from lmia.table import Table  # noqa: E402

N_TRAIN, N_OTHERS, N_KNOWN, N_AUDITS = 2000, 4000, 500, 200
TABLE = Path(__file__).parent / "results/null_audits.csv"


def main(originals=None):
    people = read(originals)
    records, labels = people.drop(columns="income"), people["income"]
    order = np.random.default_rng(0).permutation(len(people))
    trained, asked = order[:N_TRAIN], np.sort(order[N_TRAIN : N_TRAIN + N_OTHERS])
    table = Table.of(records, labels)
    inputs, classes = table.encode(records), table.class_numbers(labels)

    def train(inputs, classes, seed):
        forest = pipeline(30).set_params(randomforestclassifier__random_state=seed)
        return as_network(forest.fit(table.decode(inputs), table.classes[classes]).predict, 2, table)

    model, points = train(inputs[trained], classes[trained], 0), torch.from_numpy(inputs[asked])
    copies = Perturbation([1, 2], 16, table)
    found, _ = ask_fixed(model, points, copies, lambda: streams(0, "table", asked), progress="copies")
    answers = Answers(found, classes[asked], np.array([0.0, *copies.magnitudes]))
    same = number_inputs(inputs)
    references = ask_references(train, inputs, classes, same, asked, N_TRAIN, 12, 0)
    compared = Compared(answers.labels[:, 0], *references, answers.classes)
    rules = {"gap": (gap, answers.cut(1)), "table": (classifier, answers), "difficulty": (difficulty, compared)}
    draw, kinds, accuracies = np.random.default_rng(1), [], []
    for _ in range(N_AUDITS):
        rows = np.sort(draw.permutation(N_OTHERS)[: 2 * N_KNOWN])
        is_member = draw.permutation(2 * N_KNOWN) < N_KNOWN
        half, findings = halves(is_member, int(draw.integers(10**9))), []
        for name, (rule, observed) in rules.items():
            result = run_on_halves(rule.Attack, observed.take(rows), is_member, half)[0]
            called = result.scores >= result.threshold
            findings.append(Finding(name, 1.0, accuracy_of(called, is_member, errors_of(len(rules)))))
        kinds.append(judge(findings).kind)
        accuracies.append([finding.accuracy[0] for finding in findings])
    told = pd.DataFrame(accuracies, columns=list(rules)).describe().loc[["mean", "std", "max"]].round(4)
    told.loc["audits that say leaks"] = [kinds.count("leaks")] * len(rules)
    print(told, f"of {N_AUDITS}")
    told.to_csv(TABLE)


if __name__ == "__main__":
    main(*sys.argv[1:])
