"""Models of XGBoost and LightGBM answer as they do there, with the categories that training had."""

import numpy as np
import pandas as pd
import pytest
import torch

from lmia.table import Table
from tests.targets.other_files import (
    CODED,
    CODED_LABELS,
    CODED_TABLE,
    DIGITS,
    DRAW,
    LABELS,
    NUMBERS,
    PIXELS,
    RECORDS,
    TABLE,
    N,
    as_categories,
    check,
    need,
    numbered,
    opened,
)


@pytest.mark.parametrize("suffix", ["json", "ubj"])
def test_xgboost_on_numbers_and_on_records(suffix, tmp_path):
    need("xgboost")
    import xgboost

    path, binary = tmp_path / f"it.{suffix}", DIGITS < 5
    for objective in ("binary:logistic", "multi:softprob", "multi:softmax"):
        labels = binary.astype(int) if objective.startswith("binary") else DIGITS
        model = xgboost.XGBClassifier(n_estimators=5, objective=objective, n_jobs=1).fit(PIXELS, labels)
        model.save_model(path)
        for inputs in (PIXELS, PIXELS.reshape(-1, 1, 8, 8)):
            check(opened("xgboost", path, labels.max() + 1), inputs, model.predict(PIXELS))
    frame = RECORDS.astype({"home-town": "category"})
    model = xgboost.XGBClassifier(n_estimators=5, enable_categorical=True, n_jobs=1).fit(frame, numbered(LABELS))
    model.save_model(path)
    check(opened("xgboost", path, 2, TABLE), TABLE.encode(RECORDS), model.predict(frame))


def test_lightgbm_on_numbers_and_on_records(tmp_path):
    need("lightgbm")
    import lightgbm

    path, options = tmp_path / "it.txt", {"n_estimators": 5, "n_jobs": 1, "verbose": -1}
    for labels in ((DIGITS < 5).astype(int), DIGITS):
        model = lightgbm.LGBMClassifier(**options).fit(PIXELS, labels)
        model.booster_.save_model(path)
        check(opened("lightgbm", path, labels.max() + 1), PIXELS, model.predict(PIXELS))
    frame = RECORDS.rename(columns={"home-town": "town"}).astype({"town": "category"})
    model = lightgbm.LGBMClassifier(**options).fit(frame, numbered(LABELS))
    model.booster_.save_model(path)
    table = Table.of(RECORDS.rename(columns={"home-town": "town"}), LABELS)
    check(opened("lightgbm", path, 2, table), TABLE.encode(RECORDS), model.predict(frame))


def test_xgboost_asks_as_its_classifier_does(tmp_path):
    """Where training stopped early, with other objectives, and for other labels than 0 and 1."""
    need("xgboost")
    import xgboost

    path, noisy = tmp_path / "it.ubj", np.where(DRAW.random(len(DIGITS)) < 0.2, 0, DIGITS)
    model = xgboost.XGBClassifier(n_estimators=60, early_stopping_rounds=2, n_jobs=1)
    model.fit(PIXELS[:600], noisy[:600], eval_set=[(PIXELS[600:], noisy[600:])], verbose=False)
    assert model.best_iteration < 57
    model.save_model(path)
    check(opened("xgboost", path, 10), PIXELS, model.predict(PIXELS))
    for objective in ("binary:logitraw", "binary:hinge"):
        model = xgboost.XGBClassifier(n_estimators=5, objective=objective, n_jobs=1).fit(PIXELS, DIGITS < 5)
        model.save_model(path)
        check(opened("xgboost", path, 2), PIXELS, model.predict(PIXELS))
    for labels in (np.where(DIGITS < 5, 1, 2), DIGITS < 5):
        frame = pd.DataFrame(PIXELS[:, 20:24], columns=list("abcd")).round(2)
        table = Table.of(frame, labels)
        model = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(frame, table.class_numbers(labels))
        model.save_model(path)
        check(opened("xgboost", path, 2, table), table.encode(frame), model.predict(frame))


def test_columns_in_another_order_are_told_apart_by_their_names(tmp_path):
    need("lightgbm", "xgboost")
    import lightgbm
    import xgboost

    frame = RECORDS[["age", "income"]]
    turned = frame[["income", "age"]]
    table = Table.of(turned, LABELS)
    model = lightgbm.LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1).fit(frame, numbered(LABELS))
    model.booster_.save_model(tmp_path / "it.txt")
    check(opened("lightgbm", tmp_path / "it.txt", 2, table), table.encode(turned), model.predict(frame))
    other = Table.of(frame.rename(columns={"age": "years"}), LABELS)
    with pytest.raises(ValueError, match="it was trained on age, income, and the data has years, income"):
        opened("lightgbm", tmp_path / "it.txt", 2, other)[0](torch.zeros(2, 2))
    model = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(frame, numbered(LABELS))
    model.save_model(tmp_path / "it.json")
    with pytest.raises(ValueError, match="^cannot be asked .feature_names mismatch"):
        opened("xgboost", tmp_path / "it.json", 2, table)[0](torch.zeros(2, 2))


def trained_on_categories(kind, path, frame, labels=CODED_LABELS, **options):
    """A model of XGBoost's or LightGBM's, and its file."""
    if kind == "xgboost":
        import xgboost

        model = xgboost.XGBClassifier(n_estimators=9, enable_categorical=True, n_jobs=1, **options).fit(frame, labels)
        model.save_model(path)
        return model
    import lightgbm

    model = lightgbm.LGBMClassifier(n_estimators=9, n_jobs=1, verbose=-1, min_data_per_group=5).fit(frame, labels)
    model.booster_.save_model(path)
    return model


@pytest.mark.parametrize("kind, options", [("xgboost", {}), ("xgboost", {"booster": "dart"}), ("lightgbm", {})])
def test_codes_and_texts_are_the_categories_that_training_had(kind, options, tmp_path):
    """In all, and record by record, whatever categories a batch has."""
    need(kind)
    frame, path, inputs = as_categories(CODED), tmp_path / "it.ubj", torch.from_numpy(CODED_TABLE.encode(CODED))
    model = trained_on_categories(kind, path, frame, **options)
    expected = model.predict(frame)
    for column, value in (("ward", 10), ("town", "ja")):
        assert (expected != model.predict(as_categories(CODED.assign(**{column: value})))).mean() > 0.1, "can fail"
    for network in opened(kind, path, 2, CODED_TABLE):
        assert network(inputs).argmax(1).tolist() == expected.tolist()
        assert [int(network(one[None]).argmax()) for one in inputs[:40]] == expected[:40].tolist()


@pytest.mark.parametrize("kind", ["xgboost", "lightgbm"])
def test_arrays_of_codes_are_categories_too(kind, tmp_path):
    need(kind)
    values = np.column_stack([DRAW.choice([0.0, 1.0], N), DRAW.random(N)]).astype(np.float32)
    frame = pd.DataFrame(values, columns=["code", "size"]).astype({"code": int}).astype({"code": "category"})
    frame["code"] = frame["code"].cat.reorder_categories([1, 0])
    model = trained_on_categories(kind, tmp_path / "it.ubj", frame, (values[:, 0] > values[:, 1]).astype(int))
    check(opened(kind, tmp_path / "it.ubj", 2), values, model.predict(frame))


def test_a_category_that_training_did_not_have_is_refused_by_xgboost_and_missing_for_lightgbm(tmp_path):
    need("xgboost", "lightgbm")
    before, path = CODED["ward"] != 30, tmp_path / "it.ubj"
    frame = as_categories(CODED[before])
    trained_on_categories("xgboost", path, frame, CODED_LABELS[before])
    network, _ = opened("xgboost", path, 2, CODED_TABLE)
    with pytest.raises(
        ValueError, match=r"^cannot be asked .ward: the model was trained without the category 30.; it was given"
    ):
        network(torch.from_numpy(CODED_TABLE.encode(CODED)))
    model = trained_on_categories("lightgbm", path, frame, CODED_LABELS[before])
    check(opened("lightgbm", path, 2, CODED_TABLE), CODED_TABLE.encode(CODED), model.predict(as_categories(CODED)))


@pytest.mark.parametrize("kind", ["xgboost", "lightgbm"])
def test_texts_in_the_place_of_numbers_are_refused_with_their_column(kind, tmp_path):
    need(kind)
    trained_on_categories(kind, tmp_path / "it.ubj", NUMBERS)
    network, _ = opened(kind, tmp_path / "it.ubj", 2, Table.of(NUMBERS.assign(age="old"), CODED_LABELS))
    with pytest.raises(ValueError, match="age: the model takes numbers there, and the data has texts, as 'old'"):
        network(torch.zeros(3, 2))


def test_lightgbm_that_does_not_say_which_columns_are_categories(tmp_path):
    """It leaves out ordered ones, which can still be told by their texts, where all are texts."""
    need("lightgbm")
    ordered = pd.CategoricalDtype(["ja", "möglich", "nein"], ordered=True)
    path, texts = tmp_path / "it.txt", CODED[["town", "age"]]
    frame, table = texts.astype({"town": ordered}), Table.of(texts, CODED_LABELS)
    model = trained_on_categories("lightgbm", path, frame)
    check(opened("lightgbm", path, 2, table), table.encode(texts), model.predict(frame))
    trained_on_categories("lightgbm", path, as_categories(CODED, town=ordered))
    with pytest.raises(ValueError, match="2 columns of dtype category, and its file does not say which"):
        opened("lightgbm", path, 2, CODED_TABLE)[0](torch.zeros(2, 5))


def test_margins_of_xgboost_are_cut_at_0_but_where_its_classifier_cuts_them(tmp_path):
    need("xgboost")
    import xgboost

    matrix = xgboost.DMatrix(PIXELS, DIGITS < 5)
    booster = xgboost.train({"objective": "binary:logitraw", "nthread": 1}, matrix, 5)
    booster.save_model(tmp_path / "it.json")
    margins = booster.predict(matrix)
    assert ((margins > 0) & (margins < 0.5)).any(), "so the test can fail"
    check(opened("xgboost", tmp_path / "it.json", 2), PIXELS, margins > 0)


def test_what_predicts_numbers_is_no_classifier(tmp_path):
    need("lightgbm", "xgboost")
    import lightgbm
    import xgboost

    xgboost.XGBRegressor(n_estimators=2).fit(PIXELS, DIGITS).save_model(tmp_path / "it.json")
    lightgbm.LGBMRegressor(n_estimators=2, verbose=-1).fit(PIXELS, DIGITS).booster_.save_model(tmp_path / "it.txt")
    for kind, name in (("xgboost", "it.json"), ("lightgbm", "it.txt")):
        with pytest.raises(ValueError, match="^expected a classifier, got a model for "):
            opened(kind, tmp_path / name, 10)


def test_xgboost_without_its_categories_is_refused(tmp_path):
    need("xgboost")
    import json

    import xgboost

    frame, path = RECORDS.astype({"home-town": "category"}), tmp_path / "it.json"
    xgboost.XGBClassifier(n_estimators=2, enable_categorical=True).fit(frame, numbered(LABELS)).save_model(path)
    content = json.loads(path.read_text())
    del content["learner"]["gradient_booster"]["model"]["cats"]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="^its file lacks the categories"):
        opened("xgboost", path, 2, TABLE)
