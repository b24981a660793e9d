"""Measures the tables of ../README.md without dosirak.

    pip install numpy==2.4.6 scipy==1.17.1 onnxruntime==1.32.0
    python measure.py

Trains every variant with seeds 1 to 5, answers the evaluation rows with
onnxruntime, and compares each with production (first.yaml, seed 1). Standard
errors are DeLong's for the AUC and those of a paired t for log loss and Brier
score; accuracy has Tango's score interval. "By day" takes the 92 days for the
sample instead of the flights: influences are summed by day, t has days - 1
degrees of freedom. Each bound is at 95 %. Simple and independent on purpose.
"""

import csv
import gzip
import pathlib
import subprocess
import tempfile

import numpy as np
import onnxruntime as ort
from scipy import optimize, stats

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent
TYPES = {"tensor(string)": str, "tensor(int64)": np.int64, "tensor(float)": np.float32}
# name: arguments of the trainer, evaluation file
VARIANTS = {
    "first.yaml": ("--features first", "eval"),
    "dosirak.yaml": ("--features base", "eval"),
    "weather.yaml": ("--features weather --balance", "eval"),
    "weather-calibrated.yaml": ("--features weather --balance --calibrate", "eval"),
    "few-rows.yaml": ("--features base", "eval-small"),
    "unseeded.yaml": ("--features base --unseeded", "eval"),
}
SEEDS = range(1, 6)
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
    """Returns both values, the improvement on the scale of the margin, and
    each row's influence on it (they sum to 0)."""
    sign, margin, relative = MARGINS[metric]
    n = len(y)
    if metric == "roc_auc":
        c, c10, c01 = auc_parts(y, candidate)
        b, b10, b01 = auc_parts(y, baseline)
        influence = np.empty(n)
        influence[y == 1] = (c10 - b10 - (c - b)) / y.sum()
        influence[y == 0] = (c01 - b01 - (c - b)) / (n - y.sum())
        return c, b, c - b, influence
    c, b = per_row(metric, y, candidate), per_row(metric, y, baseline)
    d = sign * (c - b)
    if relative:  # (1+m)B - C > 0, moved so that it is read against -m·B
        d = (1 + margin) * b - c - margin * b.mean()
    return c.mean(), b.mean(), d.mean(), (d - d.mean()) / n


def tango(y, candidate, baseline, z):
    """Tango's one-sided bounds of a difference of paired proportions (Tango 1998)."""
    right, was = (candidate > 0.5) == y, (baseline > 0.5) == y
    n, b, c = len(y), int((right & ~was).sum()), int((~right & was).sum())

    def score(t):
        k = -b - c + (2 * n - b + c) * t
        q = (np.sqrt(k * k + 8 * n * c * t * (1 - t)) - k) / (4 * n)
        return (b - c - n * t) / np.sqrt(n * (2 * q + t * (1 - t)))

    d, edge = (b - c) / n, 1 - 1e-9
    return optimize.brentq(lambda t: score(t) - z, -edge, d - 1e-12), optimize.brentq(lambda t: score(t) + z, d + 1e-12, edge)


def judge(metric, y, candidate, baseline, days):
    """Returns one line of the table for flights and one for days."""
    _, margin, relative = MARGINS[metric]
    c, b, d, influence = compare(metric, y, candidate, baseline)
    for sums in (influence, np.bincount(days, influence)):
        n = len(sums)
        se = np.sqrt(n / (n - 1) * (sums**2).sum())
        q = stats.norm.ppf(0.95) if metric == "roc_auc" and sums is influence else stats.t.ppf(0.95, n - 1)
        low, high = d - q * se, d + q * se
        if metric == "accuracy" and sums is influence:
            low, high = tango(y, candidate, baseline, stats.norm.ppf(0.95))
        scale = b if relative else 1
        low, high, se = low / scale, high / scale, se / scale
        verdict = "PASS" if low > -margin else "FAIL" if high < -margin else "INCONCLUSIVE"
        yield dict(c=c, b=b, d=d / scale, low=low, high=high, mde=(q + stats.norm.ppf(0.8)) * se, verdict=verdict)


def line(name, metric, runs):
    """Joins the seeds of one metric: means of the values, worst of the rest."""
    flights, by_day = zip(*runs)
    verdicts = ["/".join(sorted({r["verdict"] for r in kind})) for kind in (flights, by_day)]
    values = [r["c"] for r in flights]
    show = "{:.4f}".format
    unit = " B" if MARGINS[metric][2] else ""
    return (f"| {name} | {metric} | {show(flights[0]['b'])} | {show(min(values))}–{show(max(values))} |"
            f" {np.mean([r['d'] for r in flights]):+.4f}{unit} |"
            f" {min(r['low'] for r in flights):+.4f} … {max(r['high'] for r in flights):+.4f} |"
            f" {show(max(r['mde'] for r in flights))} | {verdicts[0]} |"
            f" {min(r['low'] for r in by_day):+.4f} … {max(r['high'] for r in by_day):+.4f} |"
            f" {show(max(r['mde'] for r in by_day))} | {verdicts[1]} |")


def slices(name, columns, y, candidate, baseline):
    origin, distance = np.array(columns["origin"]), np.array(columns["distance"], float)
    parts = [(f"origin {o}", origin == o) for o in ("EWR", "JFK", "LGA")] + [("long-haul", distance > 1500)]
    for label, where in parts:
        c, b, d, influence = compare("roc_auc", y[where], candidate[where], baseline[where])
        yield f"| {name} | {label} | {where.sum()} | {b:.4f} | {c:.4f} | {d:+.4f} | {np.sqrt((influence**2).sum()):.4f} |"


def main():
    files = {name: read(name) for name in ("eval", "eval-small")}
    with tempfile.TemporaryDirectory() as folder:
        models = {(name, seed): train(arguments, seed, pathlib.Path(folder) / f"{name}-{seed}")
                  for name, (arguments, _) in VARIANTS.items() for seed in SEEDS}
        for name in ("dosirak.yaml", "unseeded.yaml"):
            again = train(VARIANTS[name][0], 1, pathlib.Path(folder) / "again")
            columns, _ = files["eval"]
            gap = np.abs(predict(again, columns) - predict(models[name, 1], columns)).max()
            print(f"{name}, seed 1 twice: same bytes {again.read_bytes() == models[name, 1].read_bytes()}, "
                  f"largest difference of a probability {gap:.2g}")
        parts = []
        print("\n| config | metric | production | candidate, 5 seeds | improvement | low … high | mde | verdict |"
              " by day: low … high | mde | verdict |\n|" + "---|" * 11)
        for name, (_, file) in VARIANTS.items():
            columns, y = files[file]
            days = np.unique(columns["date"], return_inverse=True)[1]
            baseline = predict(models["first.yaml", 1], columns)
            candidates = [predict(models[name, seed], columns) for seed in SEEDS]
            for metric in MARGINS:
                print(line(name, metric, [list(judge(metric, y, c, baseline, days)) for c in candidates]))
            parts += slices(name, columns, y, candidates[0], baseline)
        print("\n| config, seed 1 | slice | rows | production AUC | candidate AUC | improvement | standard error |\n|"
              + "---|" * 7)
        print("\n".join(parts))


if __name__ == "__main__":
    main()
