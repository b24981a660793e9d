"""Writes the ONNX project's own cases for each operator, with their right answers.

    python node_cases.py --out FILE.zip

For each case the archive has NAME.onnx and, where inputs and outputs are tensors that the
server speaks, NAME.json in the form of a bundle's golden.json. The cases are those of
onnx.backend.test, which the package onnx makes from code.
"""
import argparse
import json
import warnings
import zipfile

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

warnings.filterwarnings("ignore")

DATATYPES = {
    "float32": "FP32", "float64": "FP64", "bool": "BOOL", "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64",
    "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64",
}


def plain(value):
    if isinstance(value, (float, np.floating)):
        if np.isnan(value):
            return "NaN"
        if np.isinf(value):
            return "Inf" if value > 0 else "-Inf"
        return float(np.format_float_scientific(value, unique=True)) if isinstance(value, np.float32) else float(value)
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value


def values(name, array):
    if isinstance(array, onnx.TensorProto):
        array = numpy_helper.to_array(array)
    if not isinstance(array, (np.ndarray, np.generic)):
        raise TypeError("no tensor")
    array = np.asarray(array)
    kind = "BYTES" if array.dtype.kind in "OUS" else DATATYPES[array.dtype.name]
    return {"name": name, "datatype": kind, "shape": list(array.shape), "data": [plain(v) for v in array.ravel()]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    with zipfile.ZipFile(parser.parse_args().out, "w", zipfile.ZIP_DEFLATED) as out:
        for case in collect_testcases(None):
            out.writestr(case.name + ".onnx", case.model.SerializeToString())
            inputs, outputs = case.data_sets[0]
            graph = case.model.graph
            try:
                golden = {
                    "inputs": [values(i.name, a) for i, a in zip(graph.input, inputs, strict=True)],
                    "outputs": [values(o.name, a) for o, a in zip(graph.output, outputs, strict=True)],
                }
            except (KeyError, TypeError, ValueError):
                continue  # of a type that no tensor here has
            out.writestr(case.name + ".json", json.dumps(golden))


if __name__ == "__main__":
    main()
