"""Makes the zoo: small models with rows and the answers of onnxruntime.

    python generate.py --out zoo.zip                        the committed fixtures
    python generate.py --out FILE.zip --rows 300 --seed 7   other rows and models, for the peer test

For each model the archive has NAME.onnx and NAME.json. The JSON has the form of a
bundle's golden.json, plus the roles and classes that the signature must have.
Versions are those of requirements.txt.
"""
import argparse
import json
import warnings
import zipfile

import numpy as np
import onnx
import onnxruntime
import pandas as pd
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common import _container
from skl2onnx.common.data_types import BooleanTensorType, DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (AdaBoostClassifier, AdaBoostRegressor, BaggingClassifier, BaggingRegressor,
                              ExtraTreesClassifier, ExtraTreesRegressor, GradientBoostingClassifier,
                              GradientBoostingRegressor, HistGradientBoostingClassifier,
                              HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor,
                              StackingClassifier, VotingClassifier, VotingRegressor)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (ElasticNet, GammaRegressor, Lasso, LinearRegression, LogisticRegression,
                                  Perceptron, PoissonRegressor, Ridge, RidgeClassifier, SGDClassifier)
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (Binarizer, KBinsDiscretizer, MaxAbsScaler, MinMaxScaler, Normalizer,
                                   OneHotEncoder, OrdinalEncoder, PolynomialFeatures, PowerTransformer,
                                   RobustScaler, StandardScaler, TargetEncoder)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

warnings.filterwarnings("ignore")

# skl2onnx 1.20 hands numpy booleans and integers to onnx.helper, which protobuf 7 refuses.
_make_node = _container.make_node


def _plain(value):
    if isinstance(value, list) and value and isinstance(value[0], (bool, np.bool_, np.integer, int)):
        return [int(v) for v in value]
    return value


def _patched(*args, **kwargs):
    return _make_node(*args, **{k: _plain(v) for k, v in kwargs.items()})


_container.make_node = _patched

DATATYPES = {"float32": "FP32", "float64": "FP64", "int64": "INT64", "int32": "INT32", "bool": "BOOL", "object": "BYTES", "str_": "BYTES"}


def plain(value):
    if isinstance(value, (float, np.floating)):
        if np.isnan(value):
            return "NaN"
        if np.isinf(value):
            return "Inf" if value > 0 else "-Inf"
        return float(np.format_float_scientific(value, unique=True)) if isinstance(value, np.float32) else float(value)
    return value.item() if isinstance(value, np.generic) else value


def values(name, array):
    array = np.asarray(array)
    kind = "BYTES" if array.dtype.kind in "OUS" else DATATYPES[array.dtype.name]
    return {"name": name, "datatype": kind, "shape": list(array.shape), "data": [plain(v) for v in array.ravel()]}


class Zoo:
    def __init__(self, out, rows, seed):
        self.out, self.rows, self.count = out, rows, 0
        self.rng = np.random.default_rng(seed)
        n = 300
        self.X = self.rng.normal(size=(n, 4)).astype(np.float32)
        noise = self.rng.normal(scale=0.5, size=n)
        score = self.X[:, 0] + self.X[:, 1] * self.X[:, 2] + noise
        self.binary = (score > 0).astype(int)
        self.multi = np.digitize(score, [-0.7, 0.7])
        self.text = np.array(["low", "mid", "high"])[self.multi]
        self.yesno = np.where(self.binary > 0, "yes", "no")
        self.value = score * 3 + 1
        self.frame = pd.DataFrame({
            "dep": self.X[:, 0], "dist": np.abs(self.X[:, 1]) * 500, "hour": self.rng.integers(0, 24, n),
            "origin": self.rng.choice(["EWR", "JFK", "LGA"], n), "carrier": self.rng.choice(["UA", "DL", "B6", "AA"], n),
        })

    # Rows to answer: ordinary ones, then the awkward ones.
    def matrix(self, model=None, nan=False):
        rows = self.rng.normal(size=(self.rows, 4)).astype(np.float32)
        rows[: self.rows // 8] = self.X[: self.rows // 8]
        extra = np.array([[0, 0, 0, 0], [1e30, -1e30, 1e-30, 0], [-0.0, 1, -1, 0.5], [1e4, -1e4, 3, -3]], np.float32)
        parts = [rows, extra, self.thresholds(model)]
        if nan:
            bad = np.array([[np.nan, 0, 0, 0], [0, np.nan, 0, np.nan], [np.inf, 0, 0, 0], [0, -np.inf, 0, np.inf], [np.nan] * 4], np.float32)
            parts.append(bad)
        return np.concatenate(parts)

    # Rows that lie exactly on the model's thresholds, and one step beside them.
    def thresholds(self, model):
        found = []
        for node in model.graph.node if model is not None else []:
            attrs = {a.name: a for a in node.attribute}
            if "nodes_values" not in attrs:
                continue
            for f, v, m in list(zip(attrs["nodes_featureids"].ints, attrs["nodes_values"].floats, attrs["nodes_modes"].strings)):
                if m != b"LEAF" and f < 4 and len(found) < 18:
                    v = np.float32(v)
                    for w in (v, np.nextafter(v, np.float32(np.inf)), np.nextafter(v, np.float32(-np.inf))):
                        row = self.X[len(found) % 50].copy()
                        row[f] = w
                        found.append(row)
        return np.array(found, np.float32).reshape(-1, 4)

    def table(self):
        n = self.rows
        frame = pd.DataFrame({
            "dep": self.rng.normal(size=n).astype(np.float32), "dist": (np.abs(self.rng.normal(size=n)) * 500).astype(np.float32),
            "hour": self.rng.integers(-2, 30, n), "origin": self.rng.choice(["EWR", "JFK", "LGA", "SFO", ""], n),
            "carrier": self.rng.choice(["UA", "DL", "B6", "AA", "\ub300\ud55c"], n),
        })
        frame.loc[0, "dep"] = np.nan
        frame.loc[1, ["dep", "dist"]] = np.nan
        frame.loc[2, "dist"] = np.inf
        frame["hour"] = frame["hour"].astype(np.int64)
        frame.loc[3, "hour"] = 2**40
        return frame

    def write(self, name, model, inputs, roles=None, classes=None, optional=()):
        for domain in model.opset_import:
            assert domain.version <= 25
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # one order of summation
        options.log_severity_level = 3
        data = model.SerializeToString()
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        outputs = []
        for info, got in zip(session.get_outputs(), session.run(None, inputs)):
            if isinstance(got, list):  # ZipMap
                keys = list(got[0])
                got = np.array([[row[k] for k in keys] for row in got], np.float32)
            outputs.append(values(info.name, got))
        case = {
            "inputs": [values(k, v) for k, v in inputs.items()], "outputs": outputs,
            "tolerance": {"absolute": 0, "relative": 0},
            "roles": roles or [""] * len(outputs), "classes": [str(c) for c in classes] if classes is not None else None,
        }
        self.put(f"{name}.onnx", data)
        self.put(f"{name}.json", json.dumps(case, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        self.count += 1

    def put(self, name, data):
        entry = zipfile.ZipInfo(name)  # dated 1980: the same content is the same archive
        entry.compress_type = zipfile.ZIP_DEFLATED
        self.out.writestr(entry, data)

    # One [N, 4] input.
    def classifier(self, name, estimator, y, zipmap=False, nan=False, roles=("label", "probabilities"), dtype=np.float32, **kwargs):
        estimator.fit(self.X.astype(dtype), y)
        options = None if isinstance(estimator, LinearSVC) else {id(estimator): {"zipmap": zipmap}}
        model = to_onnx(estimator, self.X[:1].astype(dtype), options=options, **kwargs)
        X = self.matrix(model, nan).astype(dtype)
        self.write(name, model, {model.graph.input[0].name: X}, list(roles), estimator.classes_ if roles[1] else None)

    def regressor(self, name, estimator, y=None, nan=False, roles=("value",), dtype=np.float32, **kwargs):
        estimator.fit(self.X.astype(dtype), self.value if y is None else y)
        model = to_onnx(estimator, self.X[:1].astype(dtype), **kwargs)
        self.write(name, model, {model.graph.input[0].name: self.matrix(model, nan).astype(dtype)}, list(roles))

    def transformer(self, name, estimator, nan=False, **kwargs):
        estimator.fit(self.X, self.binary)
        model = to_onnx(estimator, self.X[:1], **kwargs)
        self.write(name, model, {model.graph.input[0].name: self.matrix(None, nan)})

    # One input per column.
    def mixed(self, name, pipeline, y, zipmap=False, known=False, roles=("label", "probabilities"), **kwargs):
        pipeline.fit(self.frame, y)
        types = [("dep", FloatTensorType([None, 1])), ("dist", FloatTensorType([None, 1])), ("hour", Int64TensorType([None, 1])),
                 ("origin", StringTensorType([None, 1])), ("carrier", StringTensorType([None, 1]))]
        options = {"zipmap": zipmap} if len(roles) > 1 else None
        model = to_onnx(pipeline, initial_types=types, options=options, **kwargs)
        frame = self.frame.iloc[: self.rows] if known else self.table()
        names = {i.name for i in model.graph.input}
        inputs = {}
        for column in frame.columns:
            dtype = {"hour": np.int64, "dep": np.float32, "dist": np.float32}.get(column, object)
            if column in names:
                inputs[column] = frame[column].to_numpy().astype(dtype).reshape(-1, 1)
        self.write(name, model, inputs, list(roles), pipeline.classes_ if len(roles) > 1 else None)

    def columns(self, numbers, texts, hours):
        return ColumnTransformer([("numbers", numbers, ["dep", "dist"]), ("texts", texts, ["origin", "carrier"]), ("hours", hours, ["hour"])])

    def linear_models(self):
        for label, y in (("binary", self.binary), ("multi", self.multi), ("text", self.text), ("yesno", self.yesno)):
            self.classifier(f"logistic-{label}", LogisticRegression(), y, nan=True)
            self.classifier(f"logistic-{label}-zipmap", LogisticRegression(), y, zipmap=True)
        self.classifier("logistic-double", LogisticRegression(), self.binary, dtype=np.float64)
        self.classifier("logistic-opset12", LogisticRegression(), self.multi, target_opset={"": 12, "ai.onnx.ml": 1})
        self.classifier("ridge-classifier", RidgeClassifier(), self.multi, roles=("label", ""))
        self.classifier("ridge-classifier-binary", RidgeClassifier(), self.binary, roles=("label", ""))
        self.classifier("linear-svc", LinearSVC(), self.multi, roles=("label", ""))
        self.classifier("sgd-binary", SGDClassifier(loss="log_loss", random_state=0), self.binary)
        self.classifier("sgd-multi", SGDClassifier(loss="log_loss", random_state=0), self.text)
        self.classifier("perceptron", Perceptron(), self.multi, roles=("label", ""))
        self.classifier("lda", LinearDiscriminantAnalysis(), self.multi)
        self.classifier("naive-bayes", GaussianNB(), self.multi)
        for name, model in (("linear", LinearRegression()), ("ridge", Ridge()), ("lasso", Lasso()), ("elastic-net", ElasticNet())):
            self.regressor(name, model, nan=name == "ridge")
        self.regressor("linear-two-targets", LinearRegression(), np.stack([self.value, -self.value], 1), roles=("",))
        self.regressor("poisson", PoissonRegressor(), np.abs(self.value) + 0.1)
        self.regressor("gamma", GammaRegressor(), np.abs(self.value) + 0.1)

    def tree_models(self):
        small = dict(n_estimators=4, max_depth=4, random_state=0)
        for label, y in (("binary", self.binary), ("multi", self.multi), ("text", self.text)):
            zipmap = label == "text"
            self.classifier(f"forest-{label}", RandomForestClassifier(**small), y, zipmap=zipmap, nan=True)
            self.classifier(f"boosting-{label}", GradientBoostingClassifier(n_estimators=4, random_state=0), y, zipmap=zipmap)
            self.classifier(f"hist-boosting-{label}", HistGradientBoostingClassifier(max_iter=4, max_depth=3, random_state=0), y, zipmap=zipmap, nan=True)
        self.classifier("tree", DecisionTreeClassifier(max_depth=4, random_state=0), self.yesno, nan=True)
        self.classifier("tree-stump", DecisionTreeClassifier(max_depth=1, random_state=0), self.multi)
        self.classifier("extra-trees", ExtraTreesClassifier(**small), self.multi)
        self.classifier("forest-double", RandomForestClassifier(**small), self.binary, dtype=np.float64)
        self.classifier("ada-boost", AdaBoostClassifier(n_estimators=3, random_state=0), self.multi)
        self.classifier("bagging", BaggingClassifier(n_estimators=3, random_state=0, estimator=DecisionTreeClassifier(max_depth=3)), self.binary)
        self.classifier("voting", VotingClassifier([("a", LogisticRegression()), ("b", DecisionTreeClassifier(max_depth=3, random_state=0))], voting="soft", flatten_transform=False), self.multi)
        self.classifier("stacking", StackingClassifier([("a", LogisticRegression()), ("b", DecisionTreeClassifier(max_depth=3, random_state=0))]), self.multi)
        self.classifier("calibrated-sigmoid", CalibratedClassifierCV(LogisticRegression(), cv=2), self.multi)
        self.classifier("calibrated-isotonic", CalibratedClassifierCV(LogisticRegression(), cv=2, method="isotonic"), self.binary)
        self.regressor("forest-value", RandomForestRegressor(**small), nan=True)
        self.regressor("forest-two-targets", RandomForestRegressor(**small), np.stack([self.value, -self.value], 1), roles=("",))
        self.regressor("extra-trees-value", ExtraTreesRegressor(**small))
        self.regressor("tree-value", DecisionTreeRegressor(max_depth=4, random_state=0))
        self.regressor("boosting-value", GradientBoostingRegressor(n_estimators=5, random_state=0))
        self.regressor("hist-boosting-value", HistGradientBoostingRegressor(max_iter=5, max_depth=3, random_state=0), nan=True)
        self.regressor("hist-boosting-poisson", HistGradientBoostingRegressor(max_iter=3, max_depth=3, loss="poisson", random_state=0), np.abs(self.value) + 0.1)
        self.regressor("ada-boost-value", AdaBoostRegressor(n_estimators=3, random_state=0, estimator=DecisionTreeRegressor(max_depth=2, random_state=0)))
        self.regressor("bagging-value", BaggingRegressor(n_estimators=3, random_state=0, estimator=DecisionTreeRegressor(max_depth=2)))
        self.regressor("voting-value", VotingRegressor([("a", LinearRegression()), ("b", DecisionTreeRegressor(max_depth=2))]))

    def networks(self):
        for label, y in (("binary", self.binary), ("multi", self.multi), ("text", self.text)):
            self.classifier(f"mlp-{label}", MLPClassifier((6,), max_iter=60, random_state=0), y, zipmap=label == "text")
        self.classifier("mlp-tanh", MLPClassifier((5, 3), activation="tanh", max_iter=60, random_state=0), self.multi)
        self.classifier("mlp-logistic", MLPClassifier((5,), activation="logistic", max_iter=60, random_state=0), self.binary)
        self.regressor("mlp-value", MLPRegressor(hidden_layer_sizes=(6,), max_iter=60, random_state=0))

    def transformers(self):
        self.transformer("scaler", StandardScaler(), nan=True)
        self.transformer("min-max", MinMaxScaler(), nan=True)
        self.transformer("min-max-clip", MinMaxScaler(clip=True), nan=True)
        self.transformer("max-abs", MaxAbsScaler())
        self.transformer("robust", RobustScaler())
        for norm in ("l1", "l2", "max"):
            self.transformer(f"normalizer-{norm}", Normalizer(norm))
        self.transformer("binarizer", Binarizer(threshold=0.5))
        self.transformer("k-bins", KBinsDiscretizer(3, encode="ordinal", quantile_method="averaged_inverted_cdf"))
        self.transformer("polynomial", PolynomialFeatures(2))
        self.transformer("power", PowerTransformer())
        self.transformer("pca", PCA(2))
        self.transformer("select-k", SelectKBest(k=2))
        hole = self.X.copy()
        hole[::7, 1] = np.nan
        keep, self.X = self.X, hole
        self.transformer("imputer", SimpleImputer(), nan=True)
        self.transformer("imputer-median", SimpleImputer(strategy="median"), nan=True)
        self.X = keep

    def pipelines(self):
        unknown = dict(handle_unknown="ignore")
        numbers = make_pipeline(SimpleImputer(), StandardScaler())
        self.mixed("pipeline-logistic", make_pipeline(self.columns(numbers, OneHotEncoder(**unknown), OneHotEncoder(**unknown)), LogisticRegression()), self.binary)
        self.mixed("pipeline-logistic-zipmap", make_pipeline(self.columns(numbers, OneHotEncoder(**unknown), "passthrough"), LogisticRegression()), self.text, zipmap=True)
        self.mixed("pipeline-forest", make_pipeline(self.columns("passthrough", OneHotEncoder(**unknown), "passthrough"), RandomForestClassifier(4, max_depth=4, random_state=0)), self.binary)
        self.mixed("pipeline-ordinal", make_pipeline(self.columns(SimpleImputer(strategy="median"), OrdinalEncoder(), "passthrough"), GradientBoostingClassifier(n_estimators=3)), self.yesno, known=True)
        self.mixed("pipeline-ordinal-unknown", make_pipeline(self.columns(MinMaxScaler(), OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), "passthrough"), HistGradientBoostingClassifier(max_iter=3, max_depth=3)), self.text)
        self.mixed("pipeline-drop-first", make_pipeline(self.columns(RobustScaler(), OneHotEncoder(drop="first"), "passthrough"), LogisticRegression()), self.binary, known=True)
        self.mixed("pipeline-target-encoder", make_pipeline(self.columns(StandardScaler(), TargetEncoder(random_state=0), "drop"), LogisticRegression()), self.binary, known=True)
        self.mixed("pipeline-mlp", make_pipeline(self.columns(numbers, OneHotEncoder(**unknown), "passthrough"), MLPClassifier((4,), max_iter=60, random_state=0)), self.multi, zipmap=True)
        self.mixed("pipeline-value", make_pipeline(self.columns(numbers, OneHotEncoder(**unknown), MinMaxScaler()), Ridge()), self.value, roles=("value",))
        self.mixed("pipeline-value-hist", make_pipeline(self.columns("passthrough", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), "passthrough"), HistGradientBoostingRegressor(max_iter=3, max_depth=3)), self.value, roles=("value",))
        pipe = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
        self.classifier("pipeline-matrix", pipe, self.multi, nan=True)

    # Operators one by one, with the corners that exporters do not reach.
    def op(self, name, nodes, inputs, outputs, constants=(), opset=21, ml_opset=3, check=True):
        kinds = {"FP32": TensorProto.FLOAT, "FP64": TensorProto.DOUBLE, "INT64": TensorProto.INT64, "INT32": TensorProto.INT32, "BOOL": TensorProto.BOOL, "BYTES": TensorProto.STRING}
        infos = []
        for key, array in inputs.items():
            kind = values(key, array)["datatype"]
            infos.append(helper.make_tensor_value_info(key, kinds[kind], ["N"] + list(np.shape(array)[1:])))
        graph = helper.make_graph(nodes, name, infos, [helper.make_tensor_value_info(k, kinds[v], None) for k, v in outputs.items()],
                                  [numpy_helper.from_array(np.asarray(v), k) for k, v in dict(constants).items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", ml_opset)], ir_version=10)
        self.write("op-" + name, model, inputs)

    def tree_corners(self):
        X = np.array([[v, w] for v in (-1, 0, 0.5, 1, np.nan, np.inf, -np.inf) for w in (0, 1, np.nan)], np.float32)
        base = dict(nodes_treeids=[0] * 5 + [1] * 3, nodes_nodeids=[0, 1, 2, 3, 4, 0, 1, 2], nodes_featureids=[0, 1, 0, 0, 0, 1, 0, 0],
                    nodes_values=[0.5, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], nodes_truenodeids=[1, 3, 0, 0, 0, 1, 0, 0],
                    nodes_falsenodeids=[2, 4, 0, 0, 0, 2, 0, 0])
        leaves = dict(treeids=[0, 0, 0, 1, 1], nodeids=[2, 3, 4, 1, 2])
        inner = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")

        def modes(a, b, c):
            return [a, b, "LEAF", "LEAF", "LEAF", c, "LEAF", "LEAF"]

        def regressor(name, mode, **kwargs):
            node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", nodes_modes=mode, **base,
                                    **{"target_" + k: v for k, v in leaves.items()}, **kwargs)
            self.op(name, [node], {"x": X}, {"y": "FP32"})

        one = dict(n_targets=1, target_ids=[0] * 5, target_weights=[0.1, 0.7, -0.3, 1.5, 0.25])
        two = dict(n_targets=2, target_ids=[0, 1, 0, 1, 0], target_weights=[0.1, 0.7, -0.3, 1.5, 0.25])
        for mode in inner:
            regressor("tree-" + mode.lower(), modes(mode, mode, mode), **one)
            regressor("tree-missing-" + mode.lower(), modes(mode, mode, mode), nodes_missing_value_tracks_true=[1, 0, 0, 0, 0, 1, 0, 0], **one)
        regressor("tree-mixed-modes", modes("BRANCH_LEQ", "BRANCH_GT", "BRANCH_EQ"), nodes_missing_value_tracks_true=[0, 1, 0, 0, 0, 1, 0, 0], **one)
        double = {"nodes_values_as_tensor": numpy_helper.from_array(np.array(base["nodes_values"]) + 0.1),
                  "target_weights_as_tensor": numpy_helper.from_array(np.array([0.1, 0.7, -0.3, 1.5, 0.25]))}
        node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", nodes_modes=modes(*["BRANCH_LEQ"] * 3),
                                n_targets=1, target_ids=[0] * 5, **{"target_" + k: v for k, v in leaves.items()},
                                **{k: v for k, v in base.items() if k != "nodes_values"}, **double)
        D = np.array([[v, w] for v in (0.6, np.nextafter(0.6, 1), 0.1, 1.1, np.nan) for w in (0.1, np.nextafter(0.1, 0), 1.1)])
        self.op("tree-double", [node], {"x": D}, {"y": "FP32"})
        for aggregate in ("SUM", "AVERAGE", "MIN", "MAX"):
            for transform in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
                for targets, extra in ((one, [0.5]), (two, [0.5, -0.25])):
                    for values_ in ([], extra):
                        if transform != "NONE" and aggregate != "SUM" and values_:
                            continue
                        given = {"base_values": values_} if values_ else {}
                        name = f"tree-{aggregate}-{transform}-{targets['n_targets']}-{len(values_)}".lower().replace("_", "-")
                        regressor(name, modes(*["BRANCH_LEQ"] * 3), aggregate_function=aggregate, post_transform=transform, **targets, **given)

        weights = {"positive": [0.1, 0.7, 0.3, 0.15, 0.25], "mixed": [0.1, 0.7, -0.3, -0.15, 0.25]}
        for sign, w in weights.items():
            for ids_name, ids, labels in (("first", [0] * 5, 2), ("second", [1] * 5, 2), ("both", [0, 1, 0, 1, 0], 2), ("three", [0, 1, 2, 1, 0], 3)):
                for transform in ("NONE", "LOGISTIC", "SOFTMAX"):
                    for count in sorted({0, 1, labels}):
                        if count == 1 and ids_name in ("both", "three"):
                            continue  # leaves a score unset
                        given = {"base_values": [0.2, -0.1, 0.05][:count]} if count else {}
                        classes = {"classlabels_strings": ["a", "b", "c"][:labels]} if transform == "NONE" else {"classlabels_int64s": [0, 1] if ids_name == "both" else [5, 7, 9][:labels]}
                        node = helper.make_node("TreeEnsembleClassifier", ["x"], ["label", "p"], domain="ai.onnx.ml",
                                                nodes_modes=modes(*["BRANCH_LEQ"] * 3), class_treeids=leaves["treeids"], class_nodeids=leaves["nodeids"],
                                                class_ids=ids, class_weights=w, post_transform=transform, **base, **classes, **given)
                        self.op(f"class-{sign}-{ids_name}-{transform.lower()}-{count}", [node], {"x": X}, {"label": "BYTES" if transform == "NONE" else "INT64", "p": "FP32"})

    def linear_corners(self):
        X = np.array([[-2, 1], [0, 0], [0.5, 0.25], [3, -1], [100, 7], [np.nan, 0], [np.inf, 0]], np.float32)

        def classifier(name, rows, **kwargs):
            coefficients = [1.0, -0.5, 0.25, 2.0, -1.0, 0.125][: rows * 2]
            node = helper.make_node("LinearClassifier", ["x"], ["label", "p"], domain="ai.onnx.ml", coefficients=coefficients, **kwargs)
            self.op("linear-" + name, [node], {"x": X}, {"label": "BYTES" if "classlabels_strings" in kwargs else "INT64", "p": "FP32"})

        for transform in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
            low = transform.lower().replace("_", "-")
            classifier(f"one-{low}", 1, classlabels_ints=[3, 4], intercepts=[0.1], post_transform=transform)
            classifier(f"two-{low}", 2, classlabels_strings=["n", "y"], intercepts=[0.1, -0.1], post_transform=transform)
            classifier(f"three-{low}", 3, classlabels_ints=[3, 4, 5], intercepts=[0.1, -0.1, 0], post_transform=transform)
        node = helper.make_node("LinearRegressor", ["x"], ["y"], domain="ai.onnx.ml", coefficients=[1.5, -0.5], intercepts=[0.25])
        self.op("linear-regressor", [node], {"x": X}, {"y": "FP32"})

    def encoders(self):
        text = np.array([["a"], ["b"], ["z"], [""]], object)
        ints = np.array([[1], [2], [-7], [2**40]], np.int64)
        floats = np.array([[1.0], [2.5], [np.nan], [-0.0]], np.float32)

        def encoder(name, x, out, ml_opset=2, **kwargs):
            self.op("label-encoder-" + name, [helper.make_node("LabelEncoder", ["x"], ["y"], domain="ai.onnx.ml", **kwargs)], {"x": x}, {"y": out}, ml_opset=ml_opset)

        encoder("text-int", text, "INT64", keys_strings=["a", "b"], values_int64s=[10, 20], default_int64=-5)
        encoder("text-text", text, "BYTES", keys_strings=["a", "b"], values_strings=["A", "B"])
        encoder("text-float", text, "FP32", keys_strings=["a", "b"], values_floats=[0.5, 1.5])
        encoder("int-text", ints, "BYTES", keys_int64s=[1, 2], values_strings=["one", "two"], default_string="?")
        encoder("int-int", ints, "INT64", keys_int64s=[1, 2], values_int64s=[-1, -2])
        encoder("int-float", ints, "FP32", keys_int64s=[1, 2], values_floats=[0.5, 1.5], default_float=9.0)
        encoder("float-text", floats, "BYTES", keys_floats=[1.0, 2.5, 0.0], values_strings=["one", "two", "zero"])
        encoder("float-int", floats, "INT64", keys_floats=[1.0, 2.5, 0.0], values_int64s=[1, 2, 3])
        encoder("float-float", floats, "FP32", keys_floats=[1.0, 2.5], values_floats=[7.0, 8.0])
        encoder("nan-key", floats, "INT64", ml_opset=4, keys_floats=[1.0, float("nan")], values_int64s=[1, 99], default_tensor=numpy_helper.from_array(np.array([-1], np.int64)))
        encoder("tensor", ints, "FP64", ml_opset=4, keys_tensor=numpy_helper.from_array(np.array([1, 2], np.int64)),
                values_tensor=numpy_helper.from_array(np.array([0.1, 0.2])), default_tensor=numpy_helper.from_array(np.array([-1.0])))
        encoder("classes-text", text, "INT64", ml_opset=1, classes_strings=["a", "b"], default_int64=-9, default_string="none")
        encoder("classes-int", np.array([[0], [1], [5]], np.int64), "BYTES", ml_opset=1, classes_strings=["a", "b"], default_int64=-9, default_string="none")

        def one_hot(name, x, **kwargs):
            self.op("one-hot-" + name, [helper.make_node("OneHotEncoder", ["x"], ["y"], domain="ai.onnx.ml", **kwargs)], {"x": x}, {"y": "FP32"})

        one_hot("text", text, cats_strings=["a", "b"], zeros=1)
        one_hot("int", ints, cats_int64s=[1, 2, -7], zeros=1)
        one_hot("float", np.array([[1.9], [2.0], [-7.5], [1e30], [-0.5]], np.float32), cats_int64s=[1, 2, -7, 0], zeros=1)
        one_hot("double", np.array([[1.9], [2.0], [-7.5]]), cats_int64s=[1, 2, -7], zeros=1)

        X = np.array([[np.nan, 1], [0, np.nan], [3, 0]], np.float32)
        self.op("imputer-one", [helper.make_node("Imputer", ["x"], ["y"], domain="ai.onnx.ml", imputed_value_floats=[9.0], replaced_value_float=float("nan"))], {"x": X}, {"y": "FP32"})
        self.op("imputer-zero", [helper.make_node("Imputer", ["x"], ["y"], domain="ai.onnx.ml", imputed_value_floats=[9.0, 8.0], replaced_value_float=0.0)], {"x": X}, {"y": "FP32"})
        self.op("imputer-int", [helper.make_node("Imputer", ["x"], ["y"], domain="ai.onnx.ml", imputed_value_int64s=[9], replaced_value_int64=2)], {"x": ints}, {"y": "INT64"})
        self.op("scaler-one", [helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[0.5], scale=[3.0])], {"x": X}, {"y": "FP32"})
        self.op("scaler-int", [helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[0.5], scale=[3.0])], {"x": ints}, {"y": "FP32"})
        self.op("scaler-double", [helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[0.1, 0.2], scale=[3.0, 1 / 3])], {"x": self.X[:5, :2].astype(np.float64)}, {"y": "FP32"})
        self.op("feature-vectorizer", [helper.make_node("FeatureVectorizer", ["a", "b"], ["y"], domain="ai.onnx.ml", inputdimensions=[2, 1])], {"a": X, "b": X[:, :1] * 2}, {"y": "FP32"})
        self.op("array-feature-extractor", [helper.make_node("ArrayFeatureExtractor", ["x", "i"], ["y"], domain="ai.onnx.ml")], {"x": self.X[:3]}, {"y": "FP32"}, {"i": np.array([3, 0, 0])})

    def plain_operators(self):
        A = np.array([[1, -2, 0.5], [0, 3.25, -1e-3], [7, np.inf, np.nan]], np.float32)
        B = np.array([[0.5, 2, -3]], np.float32)
        I = np.array([[7, -3, 2], [0, 5, -9]], np.int64)

        def single(name, kind, inputs, out, constants=(), opset=21, count=1, **kwargs):
            outs = [f"y{i}" for i in range(count)] if count > 1 else ["y"]
            node = helper.make_node(kind, list(inputs) + list(dict(constants)), outs, **kwargs)
            self.op(name, [node], inputs, {o: k for o, k in zip(outs, [out] * count if isinstance(out, str) else out)}, constants, opset=opset)

        for kind in ("Add", "Sub", "Mul", "Div"):
            single(kind.lower() + "-broadcast", kind, {"a": A}, "FP32", {"b": B})
            single(kind.lower() + "-int", kind, {"a": I}, "INT64", {"b": np.array([2, -2, 3], np.int64)})
            single(kind.lower() + "-double", kind, {"a": A.astype(np.float64)}, "FP64", {"b": B.astype(np.float64)})
        single("pow", "Pow", {"a": np.abs(A)}, "FP32", {"b": np.array([[2, 0.5, -1.5]], np.float32)})
        single("pow-negative", "Pow", {"a": A}, "FP32", {"b": np.array([3], np.float32)})
        single("min", "Min", {"a": A}, "FP32", {"b": B})
        single("max", "Max", {"a": A}, "FP32", {"b": B})
        single("sum", "Sum", {"a": A}, "FP32", {"b": B})
        single("mean", "Mean", {"a": A}, "FP32", {"b": B})
        W = np.linspace(-6, 6, 25, dtype=np.float32).reshape(-1, 5)
        for kind in ("Exp", "Sigmoid", "Tanh", "Relu", "Abs", "Neg", "Reciprocal", "Floor", "Ceil", "Round", "Sign", "Softplus", "Elu", "LeakyRelu"):
            single(kind.lower(), kind, {"x": W}, "FP32")
        single("log", "Log", {"x": np.abs(W) + np.float32(1e-6)}, "FP32")
        single("sqrt", "Sqrt", {"x": np.abs(W)}, "FP32")
        single("softmax", "Softmax", {"x": W}, "FP32", axis=1)
        single("softmax-11", "Softmax", {"x": W}, "FP32", opset=11)
        single("log-softmax", "LogSoftmax", {"x": W}, "FP32")
        single("clip", "Clip", {"x": W}, "FP32", {"lo": np.float32(-1), "hi": np.float32(2)})
        single("clip-6", "Clip", {"x": W}, "FP32", opset=6, min=-1.0, max=2.0)
        single("is-nan", "IsNaN", {"x": A}, "BOOL")
        single("is-inf", "IsInf", {"x": A}, "BOOL")
        for kind in ("Less", "Greater", "Equal", "LessOrEqual", "GreaterOrEqual"):
            single(kind.lower(), kind, {"a": A}, "BOOL", {"b": np.array([[1, -2, np.nan]], np.float32)})
        single("equal-text", "Equal", {"a": np.array([["x", "y"]], object)}, "BOOL", {"b": np.array(["x", "z"], object)})
        P = np.array([[True, False], [False, False]])
        Q = np.array([[True, True], [False, True]])
        for kind in ("And", "Or", "Xor"):
            single(kind.lower(), kind, {"a": P, "b": Q}, "BOOL")
        single("not", "Not", {"a": P}, "BOOL")
        single("where", "Where", {"c": P}, "FP32", {"a": np.array([[1, 2]], np.float32), "b": np.float32(9)})
        for axis in (0, 1):
            single(f"argmax-{axis}", "ArgMax", {"x": W}, "INT64", axis=axis, keepdims=axis)
            single(f"argmin-{axis}", "ArgMin", {"x": W}, "INT64", axis=axis)
        single("argmax-last", "ArgMax", {"x": np.array([[1, 3, 3], [2, 2, 2]], np.float32)}, "INT64", axis=1, select_last_index=1)
        for kind in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"):
            single(kind.lower(), kind, {"x": W}, "FP32", {"axes": np.array([1])})
            single(kind.lower() + "-all", kind, {"x": W}, "FP32", keepdims=0)
        single("reduce-sum-int", "ReduceSum", {"x": I}, "INT64", {"axes": np.array([-1])}, keepdims=0)
        single("reduce-mean-13", "ReduceMean", {"x": W}, "FP32", opset=13, axes=[1])
        single("matmul", "MatMul", {"a": W}, "FP32", {"b": np.linspace(-1, 1, 15, dtype=np.float32).reshape(5, 3)})
        single("matmul-vector", "MatMul", {"a": W}, "FP32", {"b": np.linspace(-1, 1, 5, dtype=np.float32)})
        single("matmul-batch", "MatMul", {"a": np.arange(24, dtype=np.float32).reshape(2, 3, 4)}, "FP32", {"b": np.arange(16, dtype=np.float32).reshape(2, 4, 2)})
        single("matmul-double", "MatMul", {"a": W.astype(np.float64)}, "FP64", {"b": np.linspace(-1, 1, 15).reshape(5, 3)})
        single("gemm", "Gemm", {"a": W}, "FP32", {"b": np.linspace(-1, 1, 15, dtype=np.float32).reshape(3, 5), "c": np.array([1, 2, 3], np.float32)}, transB=1, alpha=0.5, beta=2.0)
        single("gemm-a", "Gemm", {"a": W}, "FP32", {"b": np.linspace(-1, 1, 15, dtype=np.float32).reshape(5, 3)}, transA=1)
        C = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
        single("reshape", "Reshape", {"x": C}, "FP32", {"s": np.array([0, -1])})
        single("flatten", "Flatten", {"x": C}, "FP32", axis=2)
        single("squeeze", "Squeeze", {"x": C[:, :1]}, "FP32", {"axes": np.array([1])})
        single("squeeze-all", "Squeeze", {"x": C[:, :1]}, "FP32")
        single("unsqueeze", "Unsqueeze", {"x": C}, "FP32", {"axes": np.array([0, -1])})
        single("unsqueeze-11", "Unsqueeze", {"x": C}, "FP32", opset=11, axes=[1])
        single("shape", "Shape", {"x": C}, "INT64")
        single("shape-part", "Shape", {"x": C}, "INT64", start=1, end=-1)
        single("transpose", "Transpose", {"x": C}, "FP32", perm=[1, 2, 0])
        single("transpose-reverse", "Transpose", {"x": C}, "FP32")
        single("expand", "Expand", {"x": B}, "FP32", {"s": np.array([2, 1, 3])})
        single("concat-0", "Concat", {"a": C, "b": C * 2}, "FP32", axis=0)
        single("concat-1", "Concat", {"a": C, "b": C * 2}, "FP32", axis=-2)
        single("concat-text", "Concat", {"a": np.array([["x"], ["y"]], object), "b": np.array([["z"], [""]], object)}, "BYTES", axis=1)
        single("gather", "Gather", {"x": C}, "FP32", {"i": np.array([[2, -1], [0, 0]])}, axis=1)
        single("gather-elements", "GatherElements", {"x": W}, "FP32", {"i": np.array([[4, 0], [-1, 2]])}, axis=1)
        single("compress", "Compress", {"x": W}, "FP32", {"c": np.array([True, False, True])}, axis=1)
        single("slice", "Slice", {"x": C}, "FP32", {"s": np.array([1, -1]), "e": np.array([100, -100]), "a": np.array([0, 2]), "t": np.array([2, -1])})
        single("slice-9", "Slice", {"x": C}, "FP32", opset=9, starts=[1], ends=[3], axes=[1])
        single("split", "Split", {"x": W}, "FP32", {"s": np.array([2, 3])}, count=2, axis=1)
        single("split-equal", "Split", {"x": W}, "FP32", count=2, axis=1, num_outputs=2)
        single("top-k", "TopK", {"x": np.array([[3, 1, 3, 2], [0, 0, 5, -1]], np.float32)}, ("FP32", "INT64"), {"k": np.array([2])}, count=2)
        single("top-k-small", "TopK", {"x": np.array([[3, 1, 3, 2], [0, 0, 5, -1]], np.float32)}, ("FP32", "INT64"), {"k": np.array([3])}, count=2, largest=0)
        single("cumsum", "CumSum", {"x": W}, "FP32", {"a": np.array(1)})
        single("cumsum-reverse", "CumSum", {"x": W}, "FP32", {"a": np.array(0)}, exclusive=1, reverse=1)
        self.op("constants", [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("ConstantOfShape", ["s"], ["c"], value=numpy_helper.from_array(np.array([2.5], np.float32))),
                              helper.make_node("Constant", [], ["k"], value_floats=[1.0, 2.0, 3.0]), helper.make_node("Add", ["c", "k"], ["y"])], {"x": A}, {"y": "FP32"})
        casts = np.array([[0.0, -0.0, 1.0, -1.5, 2.75, 1e10, 1.1, 3.3333333, 1e-5, 123456.789, 1e20, -1e-10]], np.float32).T
        single("cast-float-int", "Cast", {"x": casts[:10]}, "INT64", to=TensorProto.INT64)
        single("cast-float-int32", "Cast", {"x": casts[:5]}, "INT32", to=TensorProto.INT32)
        single("cast-float-text", "Cast", {"x": casts}, "BYTES", to=TensorProto.STRING)
        single("cast-double-text", "Cast", {"x": casts.astype(np.float64)}, "BYTES", to=TensorProto.STRING)
        single("cast-int-text", "Cast", {"x": I}, "BYTES", to=TensorProto.STRING)
        single("cast-text-float", "Cast", {"x": np.array([["1.5"], ["-2"], ["1e3"], ["NaN"], ["inf"]], object)}, "FP32", to=TensorProto.FLOAT)
        single("cast-text-int", "Cast", {"x": np.array([["15"], ["-2"]], object)}, "INT64", to=TensorProto.INT64)
        single("cast-float-bool", "Cast", {"x": casts}, "BOOL", to=TensorProto.BOOL)
        single("cast-bool-float", "Cast", {"x": P}, "FP32", to=TensorProto.FLOAT)
        single("cast-int-float", "Cast", {"x": np.array([[2**24 + 1], [-5]], np.int64)}, "FP32", to=TensorProto.FLOAT)
        single("cast-double-float", "Cast", {"x": np.array([[0.1], [1e300], [1e-50]])}, "FP32", to=TensorProto.FLOAT)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--rows", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with zipfile.ZipFile(args.out, "w") as out:
        zoo = Zoo(out, args.rows, args.seed)
        for part in (zoo.linear_models, zoo.tree_models, zoo.networks, zoo.transformers, zoo.pipelines,
                     zoo.tree_corners, zoo.linear_corners, zoo.encoders, zoo.plain_operators):
            part()
    print(f"{zoo.count} models, onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}")


if __name__ == "__main__":
    main()
