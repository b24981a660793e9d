"""Reads cases as JSON from stdin and prints scikit-learn's metrics of each.

A metric that scikit-learn cannot compute, or fills with a value of its own
and a warning, is null. ece and smape, which it does not have, are written
here from their definitions.
"""
import json
import sys
import warnings

import numpy as np
import sklearn.metrics as m


def classification(case):
    y, pred = np.array(case["label"]), np.array(case["pred"])
    w = np.array(case["weight"]) if case["weight"] else None
    k = case["classes"]
    out = {
        "accuracy": lambda: m.accuracy_score(y, pred, sample_weight=w),
        "balanced_accuracy": lambda: m.balanced_accuracy_score(y, pred, sample_weight=w),
        "mcc": lambda: m.matthews_corrcoef(y, pred, sample_weight=w),
        "cohen_kappa": lambda: m.cohen_kappa_score(y, pred, sample_weight=w),
    }
    for avg in ("macro", "micro", "weighted"):
        for name, f in (("precision", m.precision_score), ("recall", m.recall_score), ("f1", m.f1_score)):
            out[f"{name}_{avg}"] = lambda f=f, avg=avg: f(y, pred, average=avg, sample_weight=w)
    if k == 2:
        s = np.array(case["score"])
        out |= {
            "precision": lambda: m.precision_score(y, pred, sample_weight=w),
            "recall": lambda: m.recall_score(y, pred, sample_weight=w),
            "specificity": lambda: m.recall_score(y, pred, pos_label=0, sample_weight=w),
            "f1": lambda: m.f1_score(y, pred, sample_weight=w),
            "roc_auc": lambda: m.roc_auc_score(y, s, sample_weight=w),
            "pr_auc": lambda: m.average_precision_score(y, s, sample_weight=w),
            "log_loss": lambda: m.log_loss(y, s, labels=[0, 1], sample_weight=w),
            "brier": lambda: m.brier_score_loss(y, s, sample_weight=w),
            "ece": lambda: ece(s, y == 1, w),
        }
    else:
        p = np.array(case["proba"]).T
        labels = list(range(k))
        out |= {
            "roc_auc_ovr_macro": lambda: m.roc_auc_score(y, p, multi_class="ovr", average="macro", labels=labels, sample_weight=w),
            "log_loss": lambda: m.log_loss(y, p, labels=labels, sample_weight=w),
            "brier": lambda: m.brier_score_loss(y, p, labels=labels, sample_weight=w),
            "top_3_accuracy": lambda: m.top_k_accuracy_score(y, p, k=3, labels=labels, sample_weight=w),
            "ece": lambda: ece(p.max(axis=1), p.argmax(axis=1) == y, w),
        }
    return out


def regression(case):
    y, v = np.array(case["target"]), np.array(case["value"])
    w = np.array(case["weight"]) if case["weight"] else None
    out = {
        "mse": lambda: m.mean_squared_error(y, v, sample_weight=w),
        "rmse": lambda: m.root_mean_squared_error(y, v, sample_weight=w),
        "mae": lambda: m.mean_absolute_error(y, v, sample_weight=w),
        "median_ae": lambda: m.median_absolute_error(y, v, sample_weight=w),
        "max_error": lambda: m.max_error(y[w > 0], v[w > 0]) if w is not None else m.max_error(y, v),
        "r2": lambda: m.r2_score(y, v, sample_weight=w),
        "explained_variance": lambda: m.explained_variance_score(y, v, sample_weight=w),
        "mape": lambda: m.mean_absolute_percentage_error(y, v, sample_weight=w),
        "msle": lambda: m.mean_squared_log_error(y, v, sample_weight=w),
        "smape": lambda: np.average(2 * abs(y - v) / (abs(y) + abs(v)), weights=w),
    }
    for q in (0.1, 0.5, 0.9):
        out[f"pinball_{q}"] = lambda q=q: m.mean_pinball_loss(y, v, alpha=q, sample_weight=w)
    return out


def ece(p, hit, w):
    w = np.ones(len(p)) if w is None else w
    b = np.clip(np.ceil(p * 15).astype(int) - 1, 0, 14)
    return sum(abs((w * (hit - p))[b == i].sum()) for i in range(15)) / w.sum()


def value(f):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            v = float(f())
        except (ValueError, Warning):
            return None
    return v if np.isfinite(v) else None


for case in json.load(sys.stdin):
    kind = regression if "target" in case else classification
    print(json.dumps({name: value(f) for name, f in kind(case).items()}))
