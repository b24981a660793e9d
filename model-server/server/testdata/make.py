"""Writes linear.onnx: a logistic regression on two numbers whose weights are
powers of two, so that its answers can be worked out by hand.

    python make.py
"""
import onnx
from onnx import TensorProto, helper

node = helper.make_node(
    "LinearClassifier", ["x"], ["label", "probabilities"], domain="ai.onnx.ml",
    coefficients=[-1.0, -0.5, 1.0, 0.5], intercepts=[0.25, -0.25],
    classlabels_ints=[0, 1], multi_class=0, post_transform="LOGISTIC")
graph = helper.make_graph(
    [node], "linear",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])],
    [helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
     helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 2])])
model = helper.make_model(
    graph, ir_version=8, producer_name="dosirak",
    opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)])
onnx.checker.check_model(model)
with open("linear.onnx", "wb") as f:
    f.write(model.SerializeToString())
