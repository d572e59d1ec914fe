"""Models of texts through the workflow: one that leaks, one that does not, and folders of Hugging Face's."""

import json
import re

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from lmia import artifacts
from lmia.evaluation.metrics_table import read_metrics
from tests.targets.huggingface_models import image_classifier, need, text_classifier
from tests.workflow.conftest import make_checkout
from workflow.harness.fingerprint import file_hash

pytestmark = pytest.mark.slow
N = 200  # members, and others
SUBJECTS = ["acting", "plot", "music", "ending", "cast", "camera", "script", "pace", "light", "humour"]
SAID = {"fine": ["good", "warm", "clever", "moving", "crisp"], "poor": ["bad", "dull", "flat", "clumsy", "loud"]}


def reviews(n, seed):
    """(texts, labels): some sentences each, most of them in the words of its label; one label in eight is wrong."""
    draw, texts, labels = np.random.default_rng(seed), [], []
    for _ in range(n):
        label, other = draw.permutation(list(SAID))
        sentences = []
        for _ in range(draw.integers(2, 6)):
            word = draw.choice(SAID[label if draw.random() < 0.75 else other])
            sentences.append(f"The {draw.choice(SUBJECTS)} of part {draw.integers(60)} was {word}.")
        texts.append("  ".join(sentences[:2]) + "\n" + " ".join(sentences[2:]))
        labels.append(other if draw.random() < 0.125 else label)
    return texts, labels


def classifier(texts, labels, strength):
    return make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=strength)).fit(texts, labels)


QUERIES = {
    "original": {"kind": "original"},
    "boundary": {"kind": "hopskipjump", "budget": 50},
    "table": {"kind": "table", "changes": [1], "samples": 4},
    "words": {"kind": "words", "shares": [0.1, 0.2, 0.4], "samples": 16},
    "like-it": {"kind": "references", "models": 8},
}
ATTACKS = {
    "gap": {"kind": "gap", "reads": "original"},
    "boundary": {"kind": "distance", "reads": "boundary"},
    "table": {"kind": "vote", "reads": "table"},
    "words": {"kind": "vote", "reads": "words"},
    "difficulty": {"kind": "difficulty", "reads": "like-it"},
}


def audit(targets, data="reviews"):
    def change(config):
        config["datasets"] = {
            "reviews": {
                "kind": "csv",
                "path": "reviews.csv",
                "label": "opinion",
                "membership": "used",
                "id": "number",
                "texts": ["review"],
            },
            "images": {"kind": "npz", "path": "images.npz", "membership": ["is_member"]},
        }
        config["datasets"] = {data: config["datasets"][data]}
        config["models"], config["targets"], config["figures"] = {}, targets, {}
        study = {"dataset": data, "splits": "given", "n_train": [N], "seeds": [0]}
        config["studies"] = {f"of-{name}": study | {"model": name} for name in targets}
        config["queries"], config["attacks"], config["metrics"]["fprs"] = QUERIES, ATTACKS, [0.1]

    return change


def write(checkout):
    """Reviews of which the first N were used, and N others were not; of the rest nobody knows."""
    texts, labels = reviews(3 * N, 0)
    frame = pd.DataFrame({"review": texts, "opinion": labels, "number": [f"r{n}" for n in range(3 * N)]})
    frame["used"] = np.repeat([1, 0, -1], N)
    frame.to_csv(checkout.path / "reviews.csv", index=False)
    return frame


def answers(checkout, study):
    """(rows of the file, the labels that were kept for them, as numbers)."""
    where = f"{study}/n{N}-none/0/target"
    kept, _ = artifacts.load(checkout.path / f"results/answers/{where}/original.npz")
    return kept["example_ids"][0], kept["labels"][0][:, 0]


def test_a_model_that_knows_its_texts_leaks_and_another_does_not(tmp_path):
    checkout = make_checkout(tmp_path / "it")
    frame, targets, models = write(checkout), {}, {}
    elsewhere = reviews(2000, 1)  # the model is as good on its so-called members as on others
    for name, texts, strength in (("leaky", (frame["review"][:N], frame["opinion"][:N]), 1e4), ("null", elsewhere, 1)):
        models[name] = classifier(*texts, strength)
        joblib.dump(models[name], path := checkout.path / f"{name}.joblib")
        targets[name] = {"kind": "sklearn", "file": path.name, "trust": file_hash(path)}
    checkout.configure(audit(targets))
    checkout.snakemake("all", "audit")
    verdicts = {}
    for name, model in models.items():
        report = json.loads((checkout.path / f"results/audits/of-{name}/report.json").read_text())
        asked = [found["attack"] for found in report["attacks"]]
        assert asked == ["gap", "words", "difficulty"] and not report["flags"]
        verdicts[name] = report["verdict"]
        ids, labels = answers(checkout, f"of-{name}")
        assert (labels == (model.predict(frame["review"][ids]) == "poor")).all() and len(ids) == 2 * N
    assert verdicts["leaky"] == "leaks" and verdicts["null"] != "leaks"
    table = read_metrics(checkout.path / "results/metrics.csv").query("seed == 'all' and setting == ''")
    rows = table.set_index(["study", "attack", "metric"])
    for attack in ("gap", "words", "difficulty"):
        assert rows.loc[("of-leaky", attack, "accuracy"), "ci_low"] > 0.5
        assert rows.loc[("of-null", attack, "accuracy"), "ci_low"] < 0.5
    records = pd.read_csv(checkout.path / "results/audits/of-leaky/records.csv")
    assert set(records["number"]) == set(frame["number"][: 2 * N])


def test_texts_that_are_told_apart_by_their_words_are_flagged(tmp_path):
    """Without the model: those in training speak of another year."""
    checkout = make_checkout(tmp_path / "it")
    frame = write(checkout)
    frame["review"] += np.where(frame["used"] == 1, " In 2019.", " In 2024.")
    frame.to_csv(checkout.path / "reviews.csv", index=False)
    joblib.dump(classifier(frame["review"][:N], frame["opinion"][:N], 100), path := checkout.path / "it.joblib")
    checkout.configure(audit({"mine": {"kind": "sklearn", "file": "it.joblib", "trust": file_hash(path)}}))
    checkout.configure(lambda config: config["studies"]["of-mine"].update(attacks=["gap"]))
    checkout.snakemake("audit")
    (flag,) = json.loads((checkout.path / "results/audits/of-mine/report.json").read_text())["flags"]
    assert "members and non-members differ by themselves (AUC 1.000)" in flag


def test_a_folder_of_hugging_face_is_asked_as_it_answers(tmp_path):
    need()
    checkout = make_checkout(tmp_path / "it")
    frame = write(checkout)
    words = sorted(set(" ".join(frame["review"]).split()))
    numbers = (frame["opinion"][:N] == "fine").astype(int).tolist()
    (checkout.path / "models").mkdir()
    ask = text_classifier(checkout.path / "models/bert", words, {0: "poor", 1: "fine"}, frame["review"], numbers, 15)
    checkout.configure(audit({"bert": {"kind": "huggingface", "folder": "models/bert"}}))
    checkout.configure(lambda config: config["studies"]["of-bert"].update(evaluated=100))
    checkout.snakemake("all", "audit")
    ids, labels = answers(checkout, "of-bert")
    assert (1 - labels == ask(frame["review"][ids])).all() and 0 < labels.sum() < len(labels) == 200
    report = json.loads((checkout.path / "results/audits/of-bert/report.json").read_text())
    assert [found["attack"] for found in report["attacks"]] == ["gap", "words"]  # nobody can train it again here
    assert not checkout.pending("all", "audit")

    (checkout.path / "models/bert/README.md").write_text("no part of the model")
    assert not checkout.pending("all", "audit")
    path = checkout.path / "models/bert/tokenizer_config.json"
    path.write_text(path.read_text() + "\n")
    assert checkout.pending()["import_target"] == 1
    (checkout.path / "models/bert/pytorch_model.bin").write_bytes(b"")
    text = checkout.snakemake("-n", check=False)
    message = "targets.bert.folder: models/bert: pytorch_model.bin: could run what it likes, and is not read; save the"
    assert checkout.exit_code == 1 and re.search(f"^ *{message}", text, re.M)


def test_a_folder_of_images_is_asked_as_it_answers(tmp_path):
    need()
    checkout, draw = make_checkout(tmp_path / "it"), np.random.default_rng(0)
    classes = draw.permutation(np.arange(300) % 3)
    images = draw.random((300, 3, 8, 8), dtype=np.float32) * 0.6
    images[np.arange(300), classes] += 0.2
    np.savez(checkout.path / "images.npz", inputs=images, classes=classes, is_member=np.repeat([1, 0], 150))
    ask = image_classifier(checkout.path / "vit", images[:150], classes[:150], 6)
    checkout.configure(audit({"vit": {"kind": "huggingface", "folder": "vit"}}, "images"))
    checkout.configure(lambda config: config["studies"]["of-vit"].update(attacks=["gap", "boundary"], evaluated=60))
    checkout.snakemake("audit")
    ids, labels = answers(checkout, "of-vit")
    assert (labels == ask(images[ids])).all() and len(set(labels)) == 3
