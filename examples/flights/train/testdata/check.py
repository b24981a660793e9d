"""Checks model.onnx and writes answers.csv: what onnxruntime says to rows.csv.

    go test ./train -run TestModel -update    # writes model.onnx
    pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
    python train/testdata/check.py
"""

import csv
import pathlib

import numpy as np
import onnx
import onnxruntime

HERE = pathlib.Path(__file__).resolve().parent
TYPES = {"tensor(string)": object, "tensor(int64)": np.int64, "tensor(float)": np.float32}


def main():
    onnx.checker.check_model(onnx.load(HERE / "model.onnx"), full_check=True)
    with open(HERE / "rows.csv", newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    session = onnxruntime.InferenceSession(str(HERE / "model.onnx"))
    feeds = {}
    for i in session.get_inputs():
        cells = [row[i.name] for row in rows]
        if i.type == "tensor(float)":
            cells = [c or "nan" for c in cells]
        feeds[i.name] = np.array(cells, dtype=TYPES[i.type]).reshape(-1, 1)
    label, probabilities = session.run(["label", "probabilities"], feeds)
    with open(HERE / "answers.csv", "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["label", "on_time", "late"])
        out.writerows([int(l), f"{p[0]:.9g}", f"{p[1]:.9g}"] for l, p in zip(label, probabilities))


if __name__ == "__main__":
    main()
