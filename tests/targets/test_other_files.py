"""Models of other programs answer as they do there, are kept as their bytes, and run nothing that is not trusted."""

import contextlib
import hashlib
import importlib
import os
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeClassifier

from lmia import plugins
from lmia.label_function import Unanswered, as_network
from lmia.models.checkpoints import restore, to_arrays
from lmia.table import Table
from lmia.targets.trained import KEPT

DRAW = np.random.default_rng(0)
N = 300
RECORDS = pd.DataFrame(
    {
        "age": DRAW.integers(18, 90, N),
        "home-town": DRAW.choice(["Ayr", "Bath", "Ely"], N),
        "income": np.where(DRAW.random(N) < 0.1, np.nan, DRAW.normal(0, 1, N).round(3)),
    }
)
LABELS = pd.Series(np.where(RECORDS["age"] + 20 * (RECORDS["home-town"] == "Ayr") > 60, "yes", "no"), name="answer")
TABLE = Table.of(RECORDS, LABELS)
CODED = RECORDS.assign(
    ward=DRAW.choice([10, 20, 30], N),
    town=DRAW.choice(["möglich", "nein", "ja"], N),
    known=DRAW.choice(np.array([True, False, None], dtype=object), N),
).drop(columns="home-town")
CODED.loc[CODED.index[::9], "town"] = None
CODED_LABELS = ((CODED["ward"] == 20) ^ (CODED["town"] == "nein") ^ (CODED["known"] == True)).astype(int)  # noqa: E712
CODED_TABLE = Table.of(CODED, CODED_LABELS)
NUMBERS = CODED[["age", "income"]]

PIXELS, DIGITS = load_digits(return_X_y=True)
PIXELS = (PIXELS / 16).astype(np.float32)
KINDS = {"sklearn": "skops", "onnx": "onnxruntime", "xgboost": "xgboost", "lightgbm": "lightgbm"}


def need(*names):
    for name in names:
        pytest.importorskip(name, reason=f"needs {name}: pip install -r requirements-audit.lock")


def opened(kind, path, n_classes, table=None, **options):
    """What the workflow asks, from the file, and again from the arrays that it is kept as."""
    spec = {"kind": kind, **options}

    def built():
        return as_network(plugins.bind("targets", "build", spec)((3,), n_classes), n_classes, table)

    network = built()
    plugins.load("targets", kind).load(network, path)
    arrays = to_arrays(network, 4)
    assert {name: array.tobytes() for name, array in arrays.items()} == {"4/file": path.read_bytes()}
    return network.eval(), restore(built(), arrays, 4)


def check(networks, inputs, expected):
    for network in networks:
        assert network(torch.from_numpy(inputs)).argmax(1).tolist() == np.asarray(expected).tolist()


def pipeline(classifier):
    encode = make_column_transformer((OneHotEncoder(), ["home-town"]), ("passthrough", ["age", "income"]))
    return make_pipeline(encode, classifier).fit(RECORDS, LABELS)


def numbered(labels):
    return (np.asarray(labels) == "yes").astype(int)


def trusted(path):
    return {"trust": hashlib.sha256(path.read_bytes()).hexdigest()}


def test_a_pipeline_on_records_as_joblib_writes_it(tmp_path):
    model, path = pipeline(RandomForestClassifier(20, random_state=0)), tmp_path / "it.joblib"
    joblib.dump(model, path)
    check(opened("sklearn", path, 2, TABLE, **trusted(path)), TABLE.encode(RECORDS), numbered(model.predict(RECORDS)))


def test_a_function_of_the_program_that_wrote_a_file_is_told_as_such(tmp_path):
    path = tmp_path / "it.joblib"
    path.write_bytes(b"c__main__\nclean\n.")  # as pickle names a function of a script
    with pytest.raises(ValueError, match="__main__.*; move its functions to a module that can be imported, or save it"):
        opened("sklearn", path, 2, TABLE, **trusted(path))


def test_what_cannot_be_asked_is_told_what_it_was_given(tmp_path):
    model, path = pipeline(DecisionTreeClassifier()), tmp_path / "it.joblib"
    joblib.dump(model, path)
    table = Table.of(RECORDS.drop(columns="home-town").assign(zip=10115), LABELS)
    with pytest.raises(ValueError, match=r"^cannot be asked .*home-town.*; it was given age: int64, income: .*64, zip"):
        opened("sklearn", path, 2, table, **trusted(path))[0](torch.zeros(2, 3))


def test_a_pipeline_on_records_as_skops_writes_it(tmp_path):
    need("skops")
    import skops.io

    model, path = pipeline(RandomForestClassifier(20, random_state=0)), tmp_path / "it.skops"
    skops.io.dump(model, path)
    types = skops.io.get_untrusted_types(file=path)
    expected = numbered(model.predict(RECORDS))
    check(opened("sklearn", path, 2, TABLE, types=types), TABLE.encode(RECORDS), expected)
    with pytest.raises(ValueError, match=r"types that skops does not know; write types: \[sklearn.tree._tree.Tree\]"):
        opened("sklearn", path, 2, TABLE)


def test_an_estimator_on_numbers_and_on_images(tmp_path):
    model, path = LogisticRegression(max_iter=300).fit(PIXELS, DIGITS), tmp_path / "it.joblib"
    joblib.dump(model, path)
    for inputs in (PIXELS, PIXELS.reshape(-1, 1, 8, 8)):
        check(opened("sklearn", path, 10, **trusted(path)), inputs, model.predict(PIXELS))


class Payload:
    """Writes a file when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch canary",)


@pytest.mark.parametrize("content", [pickle.dumps(Payload()), b"", b"PK\x03\x04 no zip", bytes(1000)])
def test_what_is_not_trusted_is_not_run(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "it.joblib"
    path.write_bytes(content)
    for trust in ({}, {"trust": "0" * 64}):
        with pytest.raises(
            ValueError, match="^expected a file of skops', or the one whose SHA-256 is .*; it is not run"
        ):
            opened("sklearn", path, 2, **trust)
    assert not (tmp_path / "canary").exists()


def test_what_is_trusted_is_run(tmp_path, monkeypatch):
    """So the test above can fail."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "it.joblib"
    path.write_bytes(pickle.dumps(Payload()))
    with pytest.raises(ValueError, match="^expected an estimator with predict, got int"):
        opened("sklearn", path, 2, **trusted(path))
    assert (tmp_path / "canary").exists()


def test_a_payload_in_a_file_of_skops_is_not_run(tmp_path, monkeypatch):
    need("skops")
    import skops.io

    monkeypatch.chdir(tmp_path)
    skops.io.dump(os.system, tmp_path / "it.skops")
    with pytest.raises(ValueError, match="^the file has types that skops does not know; write types: .*system"):
        opened("sklearn", tmp_path / "it.skops", 2)


def test_onnx_on_numbers_and_on_records(tmp_path):
    need("onnxruntime", "skl2onnx")
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

    path = tmp_path / "it.onnx"
    model = RandomForestClassifier(20, random_state=0).fit(PIXELS, DIGITS)
    path.write_bytes(to_onnx(model, PIXELS[:1], options={"zipmap": False}).SerializeToString())
    check(opened("onnx", path, 10), PIXELS, model.predict(PIXELS))
    records = RECORDS.fillna(0.0)
    renamed = records.rename(columns={"home-town": "home_town"})  # as its converter has them
    encode = make_column_transformer((OneHotEncoder(), ["home_town"]), ("passthrough", ["age", "income"]))
    model = make_pipeline(encode, RandomForestClassifier(20, random_state=0)).fit(renamed, LABELS)
    types = [Int64TensorType([None, 1]), StringTensorType([None, 1]), FloatTensorType([None, 1])]
    initial_types = list(zip(renamed.columns, types, strict=True))
    converted = to_onnx(model, initial_types=initial_types, options={"zipmap": False})
    path.write_bytes(converted.SerializeToString())
    table = Table.of(records, LABELS)
    check(opened("onnx", path, 2, table), table.encode(records), numbered(model.predict(renamed)))
    with pytest.raises(ValueError, match="^has 3 inputs, and the data set gives one array"):
        opened("onnx", path, 2)[0](torch.rand(2, 3))


@pytest.mark.parametrize("batch", ["n", 1])
def test_onnx_that_gives_a_number_for_each_class_and_takes_one_input_at_a_time(batch, tmp_path):
    need("onnxruntime", "onnx")
    from onnx import TensorProto, helper, numpy_helper

    weights = DRAW.normal(size=(64, 10)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["y"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 1, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 10])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (tmp_path / "it.onnx").write_bytes(model.SerializeToString())
    inputs = PIXELS[:20].reshape(-1, 1, 8, 8)
    check(opened("onnx", tmp_path / "it.onnx", 10), inputs, (PIXELS[:20] @ weights).argmax(1))


def same(path, shape):
    """A file of ONNX whose answers are what it is asked about."""
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "same",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())


def test_one_number_for_each_record_is_a_probability_and_no_logit(tmp_path):
    need("onnxruntime", "onnx")
    same(tmp_path / "it.onnx", ["n", 1])
    network, _ = opened("onnx", tmp_path / "it.onnx", 2)
    assert network(torch.tensor([[0.0], [0.4], [0.6], [1.0]])).argmax(1).tolist() == [0, 0, 1, 1]
    assert network(torch.tensor([[1 + 1e-6], [-1e-6]])).argmax(1).tolist() == [1, 0]  # as sums of float32 are
    for value, shown in ((-2.5, "-2.5 to 0.5"), (3.0, "0.5 to 3"), (float("nan"), "nan to nan")):
        with pytest.raises(ValueError, match=f"got numbers from {shown}; append a sigmoid .* or export labels"):
            network(torch.tensor([[0.5], [value]]))


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


@pytest.mark.parametrize("kind", ["onnx", "xgboost", "lightgbm"])
@pytest.mark.parametrize(
    "content", [b"", b"tree\nversion=v4\n", b"{}", b"5", b"PK\x03\x04 no zip", bytes(1000), b"\xff" * 50]
)
def test_other_files_are_refused_with_one_line(kind, content, tmp_path):
    need(KINDS[kind])
    (tmp_path / "it").write_bytes(content)
    with pytest.raises(ValueError, match="^expected a model ") as error:
        opened(kind, tmp_path / "it", 2)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind, name", [("xgboost", "it.json"), ("xgboost", "it.ubj"), ("lightgbm", "it.txt")])
def test_a_part_of_a_file_is_refused(kind, name, tmp_path):
    need(kind)
    module, path = importlib.import_module(kind), tmp_path / name
    if kind == "xgboost":
        module.XGBClassifier(n_estimators=2, n_jobs=1).fit(PIXELS, DIGITS).save_model(path)
    else:
        model = module.LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1).fit(PIXELS, DIGITS)
        model.booster_.save_model(path)
    content = path.read_bytes()
    for length in DRAW.integers(0, len(content) * 9 // 10, 20):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="^expected a model "):
            opened(kind, path, 10)


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_that_is_missing_is_named(kind, tmp_path, monkeypatch):
    def missing(name, package=None):
        if name.partition(".")[0] == KINDS[kind]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=KINDS[kind])
        return real(name, package)

    real = importlib.import_module
    path = tmp_path / "it"
    path.write_bytes(b"tree")
    if kind == "sklearn":
        import zipfile

        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("schema.json", "{}")
    module = plugins.load("targets", kind)
    monkeypatch.setattr("lmia.targets.opened.importlib.import_module", missing)
    network = as_network(module.build((3,), 2), 2)
    told = "pip install -r requirements-audit.lock brings it .for conda and containers: docs/how-to/cluster.md.$"
    with pytest.raises(ValueError, match=f"^needs {KINDS[kind]}, .* {told}"):
        module.load(network, path)


def test_a_pipeline_is_trained_again_on_other_records(tmp_path):
    classifier = RandomForestClassifier(20, random_state=0, max_depth=4, n_jobs=2)
    path, rows = tmp_path / "it.joblib", np.arange(0, N, 3)
    joblib.dump(pipeline(classifier), path)
    network, _ = opened("sklearn", path, 2, TABLE, **trusted(path))
    inputs, classes = TABLE.encode(RECORDS), TABLE.class_numbers(LABELS)
    again = network.retrained(inputs[rows], classes[rows], 7)
    encode = make_column_transformer((OneHotEncoder(), ["home-town"]), ("passthrough", ["age", "income"]))
    expected = make_pipeline(encode, RandomForestClassifier(20, random_state=7, max_depth=4))
    expected.fit(RECORDS.iloc[rows], LABELS[rows])
    check([again.eval()], inputs, numbered(expected.predict(RECORDS)))
    assert network(torch.from_numpy(inputs)).argmax(1).tolist() != again(torch.from_numpy(inputs)).argmax(1).tolist()
    with pytest.raises(ValueError, match="^the estimator cannot be trained again on other records"):
        network.retrained(inputs[:0], classes[:0], 7)


def test_an_estimator_is_trained_again_on_images(tmp_path):
    path = tmp_path / "it.joblib"
    joblib.dump(LogisticRegression(max_iter=300).fit(PIXELS, DIGITS), path)
    network, _ = opened("sklearn", path, 10, **trusted(path))
    again = network.retrained(PIXELS[:500].reshape(-1, 1, 8, 8), DIGITS[:500], 0)
    check([again], PIXELS, LogisticRegression(max_iter=300).fit(PIXELS[:500], DIGITS[:500]).predict(PIXELS))


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


def as_categories(frame, **kinds):
    """As its model was given it: codes and texts of dtype category, and truths as floats."""
    return frame.astype({"ward": "category", "town": "category", "known": float} | kinds)


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


def test_onnx_is_not_given_other_values_than_there_are(tmp_path):
    need("onnxruntime", "onnx")
    from onnx import TensorProto, helper

    def saved(kind):
        graph = helper.make_graph(
            [helper.make_node("Identity", ["x"], ["y"])],
            "same",
            [helper.make_tensor_value_info("x", kind, ["n", 1])],
            [helper.make_tensor_value_info("y", kind, ["n", 1])],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        (tmp_path / "it.onnx").write_bytes(model.SerializeToString())
        return tmp_path / "it.onnx"

    for column, kind, message in (
        ([1.0, np.nan], TensorProto.INT64, r"takes tensor\(int64\), which has no missing value"),
        ([1.0, 4.5], TensorProto.INT64, "takes whole numbers, and the data has fractions"),
        (["a", np.nan], TensorProto.STRING, r"takes tensor\(string\), which has no missing value"),
        (["a", "b"], TensorProto.FLOAT, "takes numbers, and the data has a column of texts"),
    ):
        table = Table.of(pd.DataFrame({"x": column}), ["no", "yes"])
        with pytest.raises(ValueError, match=f"input x: {message}"):
            opened("onnx", saved(kind), 2, table)[0](torch.tensor([[0.0], [1.0]]))


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"__class__": "x"}', b"no json"])
def test_damaged_files_of_skops_are_refused_with_one_line(content, tmp_path):
    need("skops")
    import zipfile

    with zipfile.ZipFile(tmp_path / "it.skops", "w") as archive:
        archive.writestr("schema.json", content)
    with pytest.raises(ValueError, match="^expected an estimator, as skops.io.dump writes it") as error:
        opened("sklearn", tmp_path / "it.skops", 2)
    assert "\n" not in str(error.value)


def test_a_part_that_stays_as_it_was_trained_is_refused(tmp_path):
    """A clone of it would know the members, and every record would look easy."""
    fitted, path = RandomForestClassifier(5, random_state=0).fit(PIXELS, DIGITS), tmp_path / "it.joblib"
    frozen = CalibratedClassifierCV(FrozenEstimator(fitted)).fit(PIXELS, DIGITS)
    joblib.dump(frozen, path)
    network, _ = opened("sklearn", path, 10, **trusted(path))
    with pytest.raises(ValueError, match="cannot be trained again on other records .a part of it is frozen"):
        network.retrained(PIXELS[:500], DIGITS[:500], 0)
    joblib.dump(VotingClassifier([("a", FrozenEstimator(fitted))]).fit(PIXELS, DIGITS), path)
    with pytest.raises(ValueError, match="frozen.*; leave out the attacks that read references, of kind difficulty"):
        opened("sklearn", path, 10, **trusted(path))[0].retrained(PIXELS[:500], DIGITS[:500], 0)


def test_frozen_parts_that_know_labels_are_refused_and_others_are_not(tmp_path):
    path = tmp_path / "it.joblib"
    for frozen, knows in ((TargetEncoder(), True), (StandardScaler(), False)):
        fitted = FrozenEstimator(frozen.fit(PIXELS[:300], DIGITS[:300]))
        joblib.dump(make_pipeline(fitted, DecisionTreeClassifier()).fit(PIXELS[:300], DIGITS[:300]), path)
        network, _ = opened("sklearn", path, 10, **trusted(path))
        with pytest.raises(ValueError, match="a part of it is frozen") if knows else contextlib.nullcontext():
            network.retrained(PIXELS[:300], DIGITS[:300], 0)
    joblib.dump(FrozenEstimator(DecisionTreeClassifier().fit(PIXELS, DIGITS)), path)
    with pytest.raises(ValueError, match="a part of it is frozen"):
        opened("sklearn", path, 10, **trusted(path))[0].retrained(PIXELS[:300], DIGITS[:300], 0)


def to_train(path, options):
    network = as_network(plugins.load("targets", "sklearn").build((64,), 10, **options), 10)
    plugins.load("targets", "sklearn").load(network, path)
    return network


def test_an_estimator_is_trained_again_with_other_settings_and_comes_back_the_same(tmp_path):
    path = tmp_path / "it.joblib"
    joblib.dump(RandomForestClassifier(5, random_state=0).fit(PIXELS[:100], DIGITS[:100]), path)
    options = trusted(path) | {"settings": {"max_depth": 2, "bootstrap": False}}
    network = to_train(path, options)
    network.retrain(PIXELS[:400], DIGITS[:400], 7, asked=PIXELS[400:])
    by_hand = RandomForestClassifier(5, max_depth=2, bootstrap=False, random_state=7).fit(PIXELS[:400], DIGITS[:400])
    np.testing.assert_array_equal(network(torch.from_numpy(PIXELS)).argmax(1), by_hand.predict(PIXELS))
    arrays = to_arrays(network, 3)
    assert set(arrays) == {f"3/{name}" for name in ("file", "inputs", "classes", "seed", "asked", "labels")}
    again = restore(plugins.load("targets", "sklearn").build((64,), 10, **options), arrays, 3)
    assert torch.equal(again(torch.from_numpy(PIXELS)), network(torch.from_numpy(PIXELS)))
    shallow = again.retrained(PIXELS[:200], DIGITS[:200], 5)(torch.from_numpy(PIXELS)).argmax(1)
    by_hand = RandomForestClassifier(5, max_depth=2, bootstrap=False, random_state=5).fit(PIXELS[:200], DIGITS[:200])
    np.testing.assert_array_equal(shallow, by_hand.predict(PIXELS))


def test_an_estimator_that_becomes_another_when_it_is_trained_again_is_refused(tmp_path):
    path = tmp_path / "it.joblib"
    joblib.dump(RandomForestClassifier(5, random_state=0).fit(PIXELS[:100], DIGITS[:100]), path)
    options = trusted(path) | {"settings": {}}
    network = to_train(path, options)
    network.retrain(PIXELS[:400], DIGITS[:400], 7, asked=PIXELS)
    arrays = to_arrays(network, 3)
    assert len(arrays["3/asked"]) == len(arrays["3/labels"]) == KEPT < len(PIXELS)
    arrays["3/seed"] += 1
    with pytest.raises(Unanswered, match=rf"trained again, of the same seed, .* of {KEPT} inputs otherwise"):
        restore(plugins.load("targets", "sklearn").build((64,), 10, **options), arrays, 3)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_seed_is_the_random_state_of_each_part_that_has_none(tmp_path, seed):
    def forests(state):
        return VotingClassifier([(name, RandomForestClassifier(3, random_state=state)) for name in ("a", "b")])

    path = tmp_path / "it.joblib"
    joblib.dump(forests(None).fit(PIXELS[:100], DIGITS[:100]), path)
    network = opened("sklearn", path, 10, **trusted(path))[0].retrained(PIXELS[:300], DIGITS[:300], seed)
    by_hand = forests(seed).fit(PIXELS[:300], DIGITS[:300])
    np.testing.assert_array_equal(network(torch.from_numpy(PIXELS)).argmax(1), by_hand.predict(PIXELS))


def test_settings_that_an_estimator_does_not_have_are_told_in_one_line(tmp_path):
    path = tmp_path / "it.joblib"
    joblib.dump(RandomForestClassifier(5, random_state=0).fit(PIXELS[:100], DIGITS[:100]), path)
    network = to_train(path, trusted(path) | {"settings": {"max_dept": 2}})
    with pytest.raises(
        ValueError,
        match="again on other records .max_dept: it has no such parameter; did you mean max_depth[?].; mend its",
    ):
        network.retrain(PIXELS[:400], DIGITS[:400], 7, asked=PIXELS)


def test_a_seed_decides_all_that_is_random_in_training(tmp_path):
    """Also where an estimator draws from the global generator, which stays as it was."""
    path, splits = tmp_path / "it.joblib", StratifiedKFold(3, shuffle=True)
    search = GridSearchCV(
        DecisionTreeClassifier(), {"max_depth": [3, 4, 5, 6, 7, 8], "max_features": [4, 8]}, cv=splits
    )
    joblib.dump(search.fit(PIXELS[:200], DIGITS[:200]), path)
    network, _ = opened("sklearn", path, 10, **trusted(path))
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    labels = [network.retrained(PIXELS[:300], DIGITS[:300], seed)(torch.from_numpy(PIXELS)) for seed in (1, 1, 2)]
    assert torch.equal(labels[0], labels[1]) and not torch.equal(labels[0], labels[2])
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("around", [lambda it: it, make_pipeline, lambda it: GridSearchCV(it, {"max_iter": [9]}, cv=2)])
def test_what_was_trained_on_categories_is_trained_on_categories_again(around, tmp_path):
    """Codes as texts, which are neither numbers then nor refused."""
    path, frame = tmp_path / "it.joblib", as_categories(CODED)
    model = around(HistGradientBoostingClassifier(max_iter=9, random_state=0)).fit(frame, CODED_LABELS)
    joblib.dump(model, path)
    network, _ = opened("sklearn", path, 2, CODED_TABLE, **trusted(path))
    inputs, rows = CODED_TABLE.encode(CODED), np.arange(0, N, 2)
    check([network], inputs, model.predict(frame))
    expected = clone(model).fit(frame.iloc[rows], CODED_LABELS[rows]).predict(frame)
    assert (expected != model.predict(frame)).any()
    check([network.retrained(inputs[rows], CODED_LABELS[rows].to_numpy(), 0)], inputs, expected)


def test_what_was_trained_on_numbers_is_trained_on_numbers_again(tmp_path):
    path = tmp_path / "it.joblib"
    encode = make_column_transformer((OneHotEncoder(), ["home-town"]), ("passthrough", ["age", "income"]))
    model = make_pipeline(encode, RandomForestClassifier(5, random_state=0)).fit(RECORDS, numbered(LABELS))
    joblib.dump(model, path)
    network, _ = opened("sklearn", path, 2, TABLE, **trusted(path))
    inputs, classes = TABLE.encode(RECORDS), TABLE.class_numbers(LABELS)
    check([network], inputs, model.predict(RECORDS))
    check([network.retrained(inputs, classes, 0)], inputs, model.predict(RECORDS))
