"""What the finished runs of all tools say about one model: costs, AUCs and their intervals."""

import numpy as np
from rivals import CALIBRATED, CEILING, CEILING_OF_STOPPING, OURS, RIVALS, STOPPING, WARM, WHITE_BOX
from scipy.stats import rankdata
from subjects import REFERENCES

from lmia.attacks.calibrated_distance import Attack as CalibratedDistance
from lmia.attacks.observations import Distances
from lmia.evaluation.intervals import evaluate
from lmia.evaluation.metrics import at_threshold, auc, best_threshold
from lmia.streams import stream

TOLERANCE = 0.005  # of AUC: what counts as the published schedule's answer
RESAMPLES = 1000
PUBLISHED, ART, FOOLBOX = OURS[0], *RIVALS


class Run:
    """One tool's run on all points of one role, from its files of all blocks.

    trail: floats (n, k), best distance after each query; spent: ints (n,); rows, cpu, wall: floats (blocks, k), queries
    asked and seconds passed up to each number of queries per point; memory: MB, the largest; disagreement: share of
    labels that reduced precision changes; reference_distance: floats (n,), None of searches that start elsewhere.
    """

    def __init__(self, files):
        parts = [dict(np.load(file)) for file in files]
        self.spent = np.concatenate([part["spent"] for part in parts])
        length = self.spent.max()
        self.trail = np.concatenate([part["trail"] for part in parts])[:, :length]
        self.rows, self.cpu, self.wall = (
            np.stack([part[name][:length] for part in parts]).cumsum(axis=1) for name in ("rows", "cpu", "wall")
        )
        self.disagreement = np.mean([part.get("disagreement", np.nan) for part in parts])
        self.memory = max(float(part["memory"]) for part in parts)
        beside = [part["reference_distance"] for part in parts if "reference_distance" in part]
        self.reference_distance = np.concatenate(beside) if beside else None

    def column(self, budget):
        return min(budget, self.trail.shape[1]) - 1

    def distances(self, budget):
        return self.trail[:, self.column(budget)]

    def observed(self, budget):
        """What a calibrated attack reads at a budget."""
        distance, queries = self.distances(budget), np.minimum(self.spent, budget)
        courses = (course[:, None, None] for course in (distance, queries))
        return Distances(*courses, np.zeros(len(queries), int), reference_distance=self.reference_distance)

    def queries(self, budget):
        """Mean over the points whose own label is right; the others cost one query each."""
        return np.minimum(self.spent, budget)[self.trail[:, 0] > 0].mean()


class Comparison:
    """All runs on one model, and what is read from them."""

    def __init__(self, study, model):
        self.model, self.tools, blocks = model, study.tools, range(study.scale.blocks)
        self.on_gpu = study.device.type == "cuda"

        def runs(role, tools):
            return {tool: Run([study.run(model, role, tool, block) for block in blocks]) for tool in tools}

        searched = [tool for tool in self.tools if tool not in (STOPPING, *CALIBRATED)]
        self.target = runs("target", [tool for tool in self.tools if tool not in CALIBRATED])
        self.shadow = runs("shadow", searched)
        self.shadow[STOPPING] = self.shadow[OURS[1]]
        for of_role in (self.target, self.shadow):
            of_role |= {calibrated: of_role[warm] for calibrated, warm in zip(CALIBRATED, WARM, strict=True)}
        self.budget = {tool: getattr(study.scale, tool.schedule) for tool in self.tools}
        self.is_member, self.shadow_is_member = (
            np.load(study.data(model, role))["is_member"] for role in ("target", "shadow")
        )
        self.white_box = None if not study.is_whole else np.load(study.run(model, "target", WHITE_BOX, 0))["distances"]
        self.ceilings = {
            tool: np.array(
                [float(np.load(study.run(model, "target", ceiling, block))[tool.precision]) for block in blocks]
            )
            for tool in self.tools
            for ceiling in [CEILING_OF_STOPPING if tool == STOPPING else CEILING]
        }
        self.rules = {}  # by tool and number of queries, as they are fitted
        self.models = self.cost_of_models(study)
        self.scores = {tool: self.course(tool) for tool in self.tools}
        self.curves = {tool: self.curve(scores) for tool, scores in self.scores.items()}

    def seconds(self, run):
        """What a run has cost up to each number of queries: CPU seconds, on a GPU wall seconds; (blocks, k)."""
        return run.wall if self.on_gpu else run.cpu

    def cost_of_models(self, study):
        """Seconds, as `seconds` counts them, for models of the attacker's own that a tool's distances or scores need.

        Those are the references of warm searches; calibrated scores also need the shadow and its searches. A threshold,
        which needs a shadow of every tool, is not counted.
        """
        kind = "wall" if self.on_gpu else "cpu"

        def trained(roles):
            return sum(float(np.load(study.network(self.model, role))[kind]) for role in roles)

        found = dict.fromkeys(WARM, trained(REFERENCES))
        for tool in CALIBRATED:
            found[tool] = trained([*REFERENCES, "shadow"]) + self.seconds(self.shadow[tool])[:, -1].sum()
        return found

    def course(self, tool):
        """Scores of the target's points after each query per point, floats (n, k)."""
        trail = self.target[tool].trail
        if tool not in CALIBRATED:
            return trail
        shadow = _changes(self.shadow[tool].trail)
        changes = np.union1d(_changes(trail), shadow[shadow < trail.shape[1]])
        columns = [
            self.calibrated(tool, column + 1).score(self.target[tool].observed(column + 1)) for column in changes
        ]
        return np.repeat(np.stack(columns, axis=1), np.diff(np.r_[changes, trail.shape[1]]), axis=1)

    def calibrated(self, tool, budget):
        """The rule that the shadow teaches at a budget. Intervals over points hold it fixed, as they do thresholds."""
        if (tool, budget) not in self.rules:
            rule = CalibratedDistance().fit(self.shadow[tool].observed(budget), self.shadow_is_member)
            self.rules[tool, budget] = rule
        return self.rules[tool, budget]

    def curve(self, scores):
        """AUC after each query per point, floats (k,)."""
        changes = _changes(scores)
        values = np.array([auc(scores[:, column], self.is_member) for column in changes])
        return np.repeat(values, np.diff(np.r_[changes, scores.shape[1]]))

    def threshold(self, tool, budget):
        """The shadow's best at this budget; stopping decides for the final one, whatever was spent so far."""
        if tool in CALIBRATED:
            return best_threshold(self.calibrated(tool, budget).shadow_scores(), self.shadow_is_member)
        shadow = self.shadow[tool]
        return best_threshold(
            shadow.distances(self.budget[tool] if tool == STOPPING else budget), self.shadow_is_member
        )

    def names(self, tool):
        return {"tool": tool.name, "schedule": tool.schedule, "precision": tool.precision, "model": self.model}

    def at(self, tool, budget):
        """One row of the main table."""
        run, column = self.target[tool], self.target[tool].column(budget)
        distances, right = run.distances(budget), run.trail[:, 0] > 0
        rows, cpu = run.rows[:, column].sum(), run.cpu[:, column].sum()
        possible = (self.seconds(run)[:, column] * self.ceilings[tool]).sum()
        scores = self.scores[tool][:, column]
        accuracy = at_threshold(scores, self.is_member, self.threshold(tool, budget))["accuracy"]
        return self.names(tool) | {
            "budget": budget,
            "queries_mean": run.queries(budget),
            "cpu_seconds": cpu,
            "wall_seconds": run.wall[:, column].sum(),
            "queries_per_cpu_second": rows / cpu,
            "ceiling_fraction": rows / possible,
            "censored": int(np.isinf(distances).sum()),
            "median_distance": np.nan if tool in CALIBRATED else np.median(distances[right]),
            "spearman_white_box": np.nan
            if self.white_box is None or tool in CALIBRATED
            else _spearman(distances[right], self.white_box[right]),
            "auc": np.nan if tool == STOPPING else self.curves[tool][column],
            "accuracy": accuracy,
            "peak_memory_mb": run.memory,
        }

    def interval(self, tool, budget):
        """AUC and accuracy of one row of the main table, with 95 % bootstrap intervals over the points."""
        column, threshold = self.target[tool].column(budget), self.threshold(tool, budget)
        scores = self.scores[tool][:, column].astype(float)
        found = evaluate(scores, self.is_member, threshold, (), RESAMPLES)
        metrics = ("accuracy",) if tool == STOPPING else ("auc", "accuracy")
        values = {
            f"{metric}{end}": value
            for metric in metrics
            for end, value in zip(("", "_low", "_high"), found[metric], strict=True)
        }
        return self.names(tool) | {"budget": budget} | values

    def answer(self, tool):
        """What it costs until the AUC stays within the tolerance of the published schedule's at its largest budget."""
        run, goal = self.target[tool], self.curves[PUBLISHED][-1] - TOLERANCE
        budget = _crossing(self.curves[tool], goal)
        low, high = self.crossing_interval(tool)
        reached = tool != STOPPING and budget <= run.trail.shape[1]
        cost, kind = self.seconds(run), "wall" if self.on_gpu else "cpu"
        answer = cost[:, run.column(budget)].sum() if reached else np.nan
        remark = "" if reached else "decides at one threshold: no AUC" if tool == STOPPING else "never reached"
        return self.names(tool) | {
            "queries_whole": run.queries(run.spent.max()),
            f"{kind}_whole": cost[:, -1].sum(),
            "queries_answer": run.queries(budget) if reached else np.nan,
            "queries_answer_low": low,
            "queries_answer_high": high,
            f"{kind}_answer": answer,
            f"{kind}_models": self.models.get(tool, 0.0),
            "share_of_art": answer / self.whole(ART),
            "share_of_foolbox": answer / self.whole(FOOLBOX),
            "share_of_art_with_models": (answer + self.models.get(tool, 0.0)) / self.whole(ART),
            **({} if tool == STOPPING else self.paired(tool)),
            "label_disagreement": run.disagreement,
            "remark": remark,
        }

    def whole(self, tool):
        """Seconds of a tool's whole run, NaN where it was left out."""
        return self.seconds(self.target[tool])[:, -1].sum() if tool in self.target else np.nan

    def draws(self, n):
        """Bootstrap samples of the points, members and others each among themselves: rows, ints (2m,)."""
        draw = stream(0, "benchmark, paired bootstrap")
        kinds = np.flatnonzero(self.is_member), np.flatnonzero(~self.is_member)
        for _ in range(n):
            yield np.concatenate([draw.choice(kind, len(kind)) for kind in kinds])

    def crossing_interval(self, tool):
        """Mean queries until the answer as `answer` has it, at the ends of a 95 % bootstrap interval over points.

        The published answer is drawn anew with the points; inf where the tool never reaches it.
        """
        if tool == STOPPING:
            return np.nan, np.nan
        run, goals = self.target[tool], self.target[PUBLISHED].trail[:, -1]
        columns = np.unique(np.geomspace(1, run.trail.shape[1], 60).astype(int)) - 1
        reached = []
        for rows in self.draws(200):
            goal = auc(goals[rows], self.is_member[rows]) - TOLERANCE
            scores = self.scores[tool][rows]
            curve = np.array([auc(scores[:, column], self.is_member[rows]) for column in columns])
            first = _crossing(curve, goal) - 1
            reached.append(run.queries(columns[first] + 1) if first < len(columns) else np.inf)
        return np.quantile(reached, [0.025, 0.975], method="nearest")

    def paired(self, tool):
        """AUC of the whole run and its difference to the published schedule's, with bootstrap intervals over points."""
        pair = [self.scores[name][:, -1] for name in (tool, PUBLISHED)]
        drawn = np.array(
            [[auc(scores[rows], self.is_member[rows]) for scores in pair] for rows in self.draws(RESAMPLES)]
        )
        ends = np.quantile(np.column_stack([drawn[:, 0], drawn[:, 0] - drawn[:, 1]]), [0.025, 0.975], axis=0)
        values = self.curves[tool][-1], self.curves[tool][-1] - self.curves[PUBLISHED][-1]
        return {
            name + end: value
            for name, *column in zip(("auc", "difference"), values, *ends, strict=True)
            for end, value in zip(("", "_low", "_high"), column, strict=True)
        }


def _changes(course):
    """Columns in which a course (n, k) differs from the one before, and the first, ints."""
    return np.flatnonzero(np.r_[True, (course[:, 1:] != course[:, :-1]).any(axis=0)])


def _crossing(curve, goal):
    """The first place, from 1, from which on the curve stays at the goal or above; one past its end for none."""
    below = np.flatnonzero(curve < goal)
    return below[-1] + 2 if len(below) else 1


def _spearman(a, b):
    """Rank correlation; NaN where one of them is constant."""
    if min(len(np.unique(a)), len(np.unique(b))) < 2:
        return np.nan
    return np.corrcoef(rankdata(a), rankdata(b))[0, 1]
