"""Writes exports of scikit-learn pipelines that can answer nobody, as today's converter makes them.

    python contradictory.py --out FILE.zip

For each the archive has NAME.onnx and NAME.txt, whose lines the refusal must hold.
"""
import argparse
import warnings
import zipfile

import numpy as np
from skl2onnx import to_onnx
from sklearn.ensemble import AdaBoostClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC

warnings.filterwarnings("ignore")

rng = np.random.default_rng(1)
X = rng.normal(size=(200, 4))
y = (X[:, 0] + X[:, 1] > 0).astype(int)
missing = X.copy()
missing[::7, 1] = np.nan


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    cases = {
        "polynomial-double": (make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression()).fit(X, y), X[:1], ["Concat", "FP64", "float32"]),
        "adaboost-double": (AdaBoostClassifier(n_estimators=3).fit(X, y), X[:1], ["Where", "FP64", "float32"]),
        "indicator": (make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression()).fit(missing.astype(np.float32), y), missing[:1].astype(np.float32), ["LinearClassifier", "4 columns", "add_indicator"]),
        "indicator-double": (make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression()).fit(missing, y), missing[:1], ["MatMul", "[5 2]", "add_indicator"]),
        "vectors": (SVC().fit(X.astype(np.float32), y), X[:1].astype(np.float32), ["ai.onnx.ml.SVMClassifier", "support vector machine", "LinearSVC"]),
        "neighbours": (KNeighborsClassifier(3).fit(X.astype(np.float32), y), X[:1].astype(np.float32), ["nearest neighbours"]),
    }
    with zipfile.ZipFile(parser.parse_args().out, "w") as out:
        for name, (model, example, fragments) in cases.items():
            out.writestr(name + ".onnx", to_onnx(model, example, options={"zipmap": False}).SerializeToString())
            out.writestr(name + ".txt", "\n".join(fragments))


if __name__ == "__main__":
    main()
