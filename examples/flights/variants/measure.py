"""Measures the tables of ../README.md without dosirak.

    pip install numpy==2.4.6 scipy==1.17.1 onnxruntime==1.32.0
    python measure.py [--seeds 5]

Trains every variant with seeds 1 to 5, answers the evaluation rows with
onnxruntime, and compares each with production (first.yaml, seed 1): AUC by
DeLong's covariance, log loss, Brier score and accuracy by a paired t. Bounds
are one-sided at 95 %. It is simple and independent on purpose, and so slower
and less careful than dosirak: accuracy has no Tango interval here.
"""

import argparse
import csv
import gzip
import pathlib
import subprocess
import tempfile

import numpy as np
import onnxruntime as ort
from scipy import stats

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent
TYPES = {"tensor(string)": str, "tensor(int64)": np.int64, "tensor(float)": np.float32}
# name: arguments of the trainer, evaluation file
VARIANTS = {
    "first.yaml": ("--features schedule", "eval"),
    "dosirak.yaml": ("--features route", "eval"),
    "weather.yaml": ("--features weather --balance", "eval"),
    "weather-calibrated.yaml": ("--features weather --balance --calibrate", "eval"),
    "few-rows.yaml": ("--features route", "eval-small"),
    "unseeded.yaml": ("--features route --unseeded", "eval"),
}
# metric: (direction, margin, relative)
MARGINS = {"roc_auc": (+1, 0.01, False), "log_loss": (-1, 0.02, True),
           "accuracy": (+1, 0.01, False), "brier": (-1, 0.02, True)}


def read(name):
    with gzip.open(PROJECT / "data" / f"{name}.csv.gz", "rt", newline="") as f:
        rows = list(csv.DictReader(f))
    columns = {k: [row[k] for row in rows] for k in rows[0]}
    return columns, np.array(columns["delayed"], int)


def predict(model, columns):
    session = ort.InferenceSession(str(model))
    feeds = {}
    for i in session.get_inputs():
        cells = columns[i.name]
        if i.type != "tensor(string)":
            cells = [c or "nan" for c in cells]
        feeds[i.name] = np.array(cells, dtype=object if i.type == "tensor(string)" else TYPES[i.type]).reshape(-1, 1)
    return session.run(["probabilities"], feeds)[0][:, 1].astype(float)


def train(arguments, seed, out):
    command = f"go run -trimpath ./train --seed {seed} --data data/train.csv.gz --out {out} {arguments}"
    subprocess.run(command.split(), cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    return out / "model.onnx"


def auc_parts(y, p):
    """AUC and DeLong's structural components of the positives and negatives."""
    ranks, inside = stats.rankdata(p), np.empty(len(p))
    for c in (0, 1):
        inside[y == c] = stats.rankdata(p[y == c])
    n1, n0 = y.sum(), (1 - y).sum()
    v10 = (ranks[y == 1] - inside[y == 1]) / n0
    v01 = 1 - (ranks[y == 0] - inside[y == 0]) / n1
    return v10.mean(), v10, v01


def per_row(metric, y, p):
    p32 = np.clip(p, 1e-15, 1 - 1e-15)
    return {"log_loss": -np.where(y == 1, np.log(p32), np.log(1 - p32)),
            "brier": (p - y) ** 2, "accuracy": ((p > 0.5) == y).astype(float)}[metric]


def compare(metric, y, candidate, baseline):
    """Returns the two values, the improvement and its standard error on the
    scale of the margin, and the quantile for its bounds."""
    sign, margin, relative = MARGINS[metric]
    if metric == "roc_auc":
        c, c10, c01 = auc_parts(y, candidate)
        b, b10, b01 = auc_parts(y, baseline)
        se = np.sqrt(np.var(c10 - b10, ddof=1) / len(c10) + np.var(c01 - b01, ddof=1) / len(c01))
        return c, b, c - b, se, stats.norm.ppf(0.95)
    c, b = per_row(metric, y, candidate), per_row(metric, y, baseline)
    if relative:  # (1+m)B - C > 0, written as an improvement against margin 0
        d = (1 + margin) * b - c
    else:
        d = sign * (c - b)
    return c.mean(), b.mean(), d.mean(), d.std(ddof=1) / np.sqrt(len(d)), stats.t.ppf(0.95, len(d) - 1)


def judge(metric, y, candidate, baseline):
    _, margin, relative = MARGINS[metric]
    c, b, d, se, q = compare(metric, y, candidate, baseline)
    limit = 0 if relative else -margin
    low, high = d - q * se, d + q * se
    verdict = "PASS" if low > limit else "FAIL" if high < limit else "INCONCLUSIVE"
    if relative:  # back to shares of the baseline, for reading
        low, high, se, d = ((v / b - margin) for v in (low, high, se + margin * b, d))
    return dict(c=c, b=b, d=d, low=low, high=high, mde=(q + stats.norm.ppf(0.8)) * se, verdict=verdict)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--seeds", type=int, default=5)
    seeds = range(1, args.parse_args().seeds + 1)
    files = {name: read(name) for name in ("eval", "eval-small")}
    with tempfile.TemporaryDirectory() as folder:
        models = {(name, seed): train(arguments, seed, pathlib.Path(folder) / f"{name}-{seed}")
                  for name, (arguments, _) in VARIANTS.items() for seed in seeds}
        again = train(VARIANTS["dosirak.yaml"][0], 1, pathlib.Path(folder) / "again")
        print("dosirak.yaml, seed 1 twice:", again.read_bytes() == models["dosirak.yaml", 1].read_bytes())
        again = train(VARIANTS["unseeded.yaml"][0], 1, pathlib.Path(folder) / "again")
        columns, _ = files["eval"]
        print("unseeded.yaml, seed 1 twice:", again.read_bytes() == models["unseeded.yaml", 1].read_bytes(),
              "largest difference of a probability",
              np.abs(predict(again, columns) - predict(models["unseeded.yaml", 1], columns)).max())
        print("| variant | seed | metric | production | candidate | improvement | low | high | mde | verdict |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        slices = []
        for name, (_, file) in VARIANTS.items():
            columns, y = files[file]
            baseline = predict(models["first.yaml", 1], columns)
            for seed in seeds:
                candidate = predict(models[name, seed], columns)
                for metric in MARGINS:
                    r = judge(metric, y, candidate, baseline)
                    print(f"| {name} | {seed} | {metric} | {r['b']:.4f} | {r['c']:.4f} | {r['d']:+.4f} | {r['low']:+.4f} |"
                          f" {r['high']:+.4f} | {r['mde']:.4f} | {r['verdict']} |")
            if name == "first.yaml":
                continue
            candidate = predict(models[name, 1], columns)
            origin, distance = np.array(columns["origin"]), np.array(columns["distance"], float)
            parts = [(f"origin {o}", origin == o) for o in ("EWR", "JFK", "LGA")] + [("long-haul", distance > 1500)]
            for label, where in parts:
                c, b, d, se, _ = compare("roc_auc", y[where], candidate[where], baseline[where])
                slices.append(f"| {name} | {label} | {where.sum()} | {b:.4f} | {c:.4f} | {d:+.4f} | {se:.4f} |")
        print("\n| variant, seed 1 | slice | rows | production AUC | candidate AUC | improvement | standard error |")
        print("|---|---|---|---|---|---|---|")
        print("\n".join(slices))


if __name__ == "__main__":
    main()
