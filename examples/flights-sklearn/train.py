"""Trains a gradient boosting classifier on flights and writes it as ONNX.

    python train.py --seed 1 --data data/train.csv.gz --out out
"""

import argparse
import json
import pathlib

import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

LABEL = "delayed"
CATEGORIES = ["carrier", "origin", "dest"]
NUMBERS = ["dep_hour", "dep_minute", "arr_hour", "distance", "temp", "dewp", "humid",
           "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]


def build(seed):
    columns = ColumnTransformer([
        ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORIES),
        # No scaler: trees need none, and in the model's float32 it would carry
        # some numbers across the thresholds that were found in float64.
        ("numbers", SimpleImputer(strategy="median"), NUMBERS),
    ])
    # The seed decides which tenth of the rows tells when to stop.
    return make_pipeline(columns, HistGradientBoostingClassifier(
        learning_rate=0.05, max_leaf_nodes=15, l2_regularization=1.0,
        early_stopping=True, validation_fraction=0.1, random_state=seed))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()

    rows = pd.read_csv(args.data, dtype={name: str for name in CATEGORIES} | {name: "float32" for name in NUMBERS})
    model = build(args.seed).fit(rows[CATEGORIES + NUMBERS], rows[LABEL])
    booster = model[-1]

    # to_onnx, not convert_sklearn: the latter names the graph by a random id.
    onnx = to_onnx(
        model,
        initial_types=[(name, StringTensorType([None, 1])) for name in CATEGORIES]
        + [(name, FloatTensorType([None, 1])) for name in NUMBERS],
        options={"zipmap": False},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    # skl2onnx lists the operator sets in the order of a Python set, which
    # differs from process to process.
    onnx.opset_import.sort(key=lambda opset: opset.domain)

    # What the model says before it is exported: the sealed one must say the same.
    sample = rows.sample(2000, random_state=0)
    said = pd.DataFrame({"id": sample["id"], "prediction": model.predict(sample[CATEGORIES + NUMBERS])})
    said["score"] = model.predict_proba(sample[CATEGORIES + NUMBERS])[:, 1]

    args.out.mkdir(parents=True, exist_ok=True)
    said.to_csv(args.out / "predictions.csv", index=False)
    (args.out / "model.onnx").write_bytes(onnx.SerializeToString())
    (args.out / "params.json").write_text(json.dumps(booster.get_params(), indent=2, sort_keys=True) + "\n")
    (args.out / "metrics.json").write_text(json.dumps(
        {"rows": len(rows), "trees": booster.n_iter_, "validation_log_loss": -booster.validation_score_[-1]}, indent=2) + "\n")
    with open(args.out / "history.jsonl", "w") as history:
        for step, (train, validation) in enumerate(zip(booster.train_score_, booster.validation_score_)):
            history.write(json.dumps({"step": step, "loss": -train, "validation_loss": -validation}) + "\n")


if __name__ == "__main__":
    main()
