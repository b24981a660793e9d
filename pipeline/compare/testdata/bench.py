"""Times dosirak's intervals beside scipy's and numpy's bootstraps, one run.

    python testdata/bench.py [rows]

It writes paired predictions, runs `go test -bench BenchmarkPeer` on them with
one core, then scipy.stats.bootstrap (paired, BCa, 10,000 resamples) and a
vectorised numpy percentile bootstrap (10,000 resamples) of the same metric on
the same rows, and prints milliseconds and ratios. Needs numpy and scipy.
"""
import os
import re
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy import stats

N = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
B = 10_000
rng = np.random.default_rng(1)

z = rng.normal(size=N)
y = (rng.random(N) < 1 / (1 + np.exp(-1.5 * z))).astype(int)
score = {m: 1 / (1 + np.exp(-(1.2 * z + 0.6 * rng.normal(size=N)))) for m in ("candidate", "baseline")}
pred = {m: (s > 0.5).astype(int) for m, s in score.items()}
target = 10 + 3 * z
value = {m: target + rng.normal(size=N) for m in ("candidate", "baseline")}


def f1(y, p):
    tp = (y & p).sum(axis=-1)
    return 2 * tp / (y.sum(axis=-1) + p.sum(axis=-1))


def mcc(y, p):
    n = y.shape[-1]
    t, py, pp = (y & p).sum(axis=-1) / n, y.mean(axis=-1), p.mean(axis=-1)
    return (t - py * pp) / np.sqrt(py * (1 - py) * pp * (1 - pp))


def auc(y, s):
    r = stats.rankdata(s, axis=-1)
    m = y.sum(axis=-1)
    return ((r * y).sum(axis=-1) - m * (m + 1) / 2) / (m * (y.shape[-1] - m))


def accuracy(y, p):
    return (y == p).mean(axis=-1)


def log_loss(y, s):
    return -np.log(np.where(y == 1, s, 1 - s)).mean(axis=-1)


def rmse(y, v):
    return np.sqrt(((y - v) ** 2).mean(axis=-1))


METRICS = {
    "accuracy": (accuracy, y, pred),
    "f1": (f1, y, pred),
    "mcc": (mcc, y, pred),
    "roc_auc": (auc, y, score),
    "log_loss": (log_loss, y, score),
    "rmse": (rmse, target, value),
}


def go(folder):
    env = dict(os.environ, DOSIRAK_BENCH=folder)
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    out = subprocess.run(["go", "test", "-run", "^$", "-bench", "BenchmarkPeer", "-cpu", "1", "."],
                         cwd=here, env=env, check=True, capture_output=True, text=True).stdout
    return {name: float(ns) / 1e6 for name, ns in re.findall(r"BenchmarkPeer/(\S+)\s+\d+\s+([\d.]+) ns/op", out)}


def scipy_ms(f, y, m):
    start = time.perf_counter()
    stats.bootstrap((y, m["candidate"], m["baseline"]), lambda y, c, b, axis=-1: f(y, c) - f(y, b), paired=True,
                    vectorized=True, n_resamples=B, method="BCa", confidence_level=0.9, batch=500,
                    rng=np.random.default_rng(2))
    return 1e3 * (time.perf_counter() - start)


def numpy_ms(f, y, m):
    start = time.perf_counter()
    r, values = np.random.default_rng(3), []
    for _ in range(B // 500):
        i = r.integers(0, N, (500, N))
        values.append(f(y[i], m["candidate"][i]) - f(y[i], m["baseline"][i]))
    np.quantile(np.concatenate(values), [0.05, 0.95])
    return 1e3 * (time.perf_counter() - start)


with tempfile.TemporaryDirectory() as folder:
    for m in ("candidate", "baseline"):
        with open(f"{folder}/binary-{m}.csv", "w") as out:
            out.write("id,label,prediction,score\n")
            out.writelines(f"{i},{y[i]},{pred[m][i]},{float(score[m][i])!r}\n" for i in range(N))
        with open(f"{folder}/regression-{m}.csv", "w") as out:
            out.write("id,label,prediction\n")
            out.writelines(f"{i},{float(target[i])!r},{float(value[m][i])!r}\n" for i in range(N))
    ours = go(folder)

print(f"{N} paired rows, {B} resamples, one core; milliseconds\n")
print("| metric | dosirak | scipy BCa | numpy percentile | scipy / dosirak | numpy / dosirak |")
print("| --- | --- | --- | --- | --- | --- |")
for name, (f, truth, m) in METRICS.items():
    s, v = scipy_ms(f, truth, m), numpy_ms(f, truth, m)
    print(f"| {name} | {ours[name]:.2f} | {s:.0f} | {v:.0f} | {s / ours[name]:.0f}× | {v / ours[name]:.0f}× |")
