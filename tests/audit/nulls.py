"""Audits of models that know nothing of their members."""

import numpy as np

from lmia.attacks import distance, gap, vote
from lmia.attacks.known_records import halves, run_on_halves
from lmia.attacks.observations import Answers, Distances
from lmia.audit.verdict import Finding, accuracy_of, errors_of, judge


def verdicts(n_audits, n=200):
    """Kind of the verdict of so many audits of 2n records each, by the gap, votes and boundary distances."""
    draw = np.random.default_rng(7)
    for _ in range(n_audits):
        is_member, classes = draw.permutation(2 * n) < n, np.zeros(2 * n, int)
        is_right = draw.random(2 * n) < 0.8
        labels = (draw.random((2 * n, 41)) > np.where(is_right, 0.5 + draw.random(2 * n) / 2, 0.2)[:, None]).astype(int)
        labels[:, 0] = ~is_right
        answers = Answers(labels, classes, np.r_[0, np.repeat([1, 2, 3, 4], 10)])
        course = np.where(is_right, draw.gamma(2, 1, 2 * n), 0)[:, None, None]
        searched = Distances(course, np.ones_like(course, int), classes)
        half = halves(is_member, int(draw.integers(10**9)))
        findings = []
        for rule, observed in ((gap, answers.cut(1)), (vote, answers), (distance, searched)):
            result = run_on_halves(rule.Attack, observed, is_member, half)[0]
            called = result.scores >= result.threshold
            findings.append(Finding(rule.__name__, 1.0, accuracy_of(called, is_member, errors_of(3))))
        yield judge(findings).kind
