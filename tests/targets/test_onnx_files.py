"""Models of ONNX answer as they do there, and are given no other values than there are."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from lmia.table import Table
from tests.targets.other_files import DIGITS, DRAW, LABELS, PIXELS, RECORDS, check, need, numbered, opened


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
