"""Makes projects' leavings: for each case a training table, the model as
today's converters write it, and what the trained model says of the rows.

    python make.py OUT [CASE...]
"""
import os
import sys
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
N = 200


def table(missing=0.0, seed=0):
    rng = np.random.default_rng(seed)
    x = pd.DataFrame({c: rng.normal(size=N).astype(np.float32) for c in ("a", "b", "c", "d")})
    z = x["a"] + 0.5 * x["b"] * x["c"]
    y = (z + 0.3 * rng.normal(size=N) > 0).astype(int)
    for c in x if missing else ():
        x.loc[rng.random(N) < missing, c] = np.nan
    return x, y, z


def write(out, name, x, y, onnx, said):
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    x.assign(y=y).to_csv(os.path.join(folder, "train.csv"), index=False)
    with open(os.path.join(folder, "model.onnx"), "wb") as f:
        f.write(onnx.SerializeToString())
    said.insert(0, "row", np.arange(1, len(x) + 1))
    said.to_csv(os.path.join(folder, "predictions.csv"), index=False)


def said_of(model, x):
    return pd.DataFrame({"prediction": model.predict(x), "score": model.predict_proba(x)[:, 1]})


def sklearn_onnx(model, x):
    from skl2onnx import to_onnx

    return to_onnx(model, x.to_numpy(np.float32)[:1], options={"zipmap": False})


def of_tools(convert, model, width):
    from onnxmltools.convert.common.data_types import FloatTensorType

    return convert(model, initial_types=[("x", FloatTensorType([None, width]))], zipmap=False) if convert.__name__ != "convert_xgboost" \
        else convert(model, initial_types=[("x", FloatTensorType([None, width]))])


def forest_missing(out):
    from sklearn.ensemble import RandomForestClassifier

    x, y, _ = table(missing=0.1)
    m = RandomForestClassifier(8, max_depth=4, random_state=0).fit(x.to_numpy(), y)
    write(out, "forest-missing", x, y, sklearn_onnx(m, x), said_of(m, x.to_numpy()))


def forest(out):
    from sklearn.ensemble import RandomForestClassifier

    x, y, _ = table()
    m = RandomForestClassifier(8, max_depth=4, random_state=0).fit(x.to_numpy(), y)
    write(out, "forest", x, y, sklearn_onnx(m, x), said_of(m, x.to_numpy()))


def logistic(out):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y, _ = table()
    m = make_pipeline(StandardScaler(), LogisticRegression()).fit(x.to_numpy(), y)
    write(out, "logistic", x, y, sklearn_onnx(m, x), said_of(m, x.to_numpy()))


def lightgbm_rf(out):
    import lightgbm
    from onnxmltools import convert_lightgbm

    x, _, z = table()
    z = 100 + 10 * z
    m = lightgbm.LGBMRegressor(boosting_type="rf", n_estimators=10, num_leaves=8, bagging_freq=1, bagging_fraction=0.6, verbose=-1).fit(x.to_numpy(), z)
    write(out, "lightgbm-rf", x, z, of_tools(convert_lightgbm, m, 4), pd.DataFrame({"prediction": m.predict(x.to_numpy())}))


def lightgbm(out):
    import lightgbm as gbm
    from onnxmltools import convert_lightgbm

    x, y, _ = table()
    m = gbm.LGBMClassifier(n_estimators=10, num_leaves=8, verbose=-1).fit(x.to_numpy(), y)
    write(out, "lightgbm", x, y, of_tools(convert_lightgbm, m, 4), said_of(m, x.to_numpy()))


def xgboost_logistic(out):
    import xgboost
    from onnxmltools import convert_xgboost

    x, y, z = table()
    p = 1 / (1 + np.exp(-3 * z))
    m = xgboost.XGBRegressor(objective="reg:logistic", n_estimators=10, max_depth=3).fit(x.to_numpy(), p)
    write(out, "xgboost-logistic", x, p, of_tools(convert_xgboost, m, 4), pd.DataFrame({"prediction": m.predict(x.to_numpy())}))


def xgboost(out):
    import xgboost as xgb
    from onnxmltools import convert_xgboost

    x, y, _ = table(missing=0.1)
    m = xgb.XGBClassifier(n_estimators=10, max_depth=3).fit(x.to_numpy(), y)
    write(out, "xgboost", x, y, of_tools(convert_xgboost, m, 4), said_of(m, x.to_numpy()))


def thresholds(out):
    import lightgbm as gbm
    from onnxmltools import convert_lightgbm

    x, _, _ = table()
    x = x.astype(np.float64)
    x["a"] = np.where(np.arange(N) % 20 == 0, 1 + 2e-9, np.where(np.arange(N) % 20 == 10, 1.0, np.round(x["a"] * 8) / 8 + 3))
    y = np.where(x["a"] > 1 + 1e-9, 1.0, 0.0) * 5 + x["b"]
    m = gbm.LGBMRegressor(n_estimators=5, num_leaves=8, min_child_samples=3, verbose=-1).fit(x.to_numpy(), y)
    write(out, "thresholds", x, y, of_tools(convert_lightgbm, m, 4), pd.DataFrame({"prediction": m.predict(x.to_numpy())}))


CASES = {"forest-missing": forest_missing, "forest": forest, "logistic": logistic, "lightgbm-rf": lightgbm_rf, "lightgbm": lightgbm,
         "xgboost-logistic": xgboost_logistic, "xgboost": xgboost, "thresholds": thresholds}

if __name__ == "__main__":
    for case in sys.argv[2:] or CASES:
        CASES[case](sys.argv[1])
