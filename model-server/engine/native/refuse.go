package native

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle/onnx"
	"github.com/dosirak-ml/dosirak/model-server/engine/native/op"
	"github.com/dosirak-ml/dosirak/model-server/tensor"
)

// UnsupportedError says that a model needs what this release lacks.
type UnsupportedError struct {
	What   string
	WayOut string // what would help; "" where nothing is known
}

func (e *UnsupportedError) Error() string {
	if e.WayOut == "" {
		return e.What + "; this release cannot serve the model"
	}
	return e.What + "; this release cannot serve the model: " + e.WayOut
}

// MismatchError says that a model contradicts itself, so that it can answer no
// request.
type MismatchError struct {
	What   string
	WayOut string
}

func (e *MismatchError) Error() string {
	if e.WayOut == "" {
		return e.What
	}
	return e.What + "; " + e.WayOut
}

// lacks says which operators are missing, and what helps.
func lacks(unknown []string) error {
	const most = 20
	list := strings.Join(unknown[:min(len(unknown), most)], ", ")
	if len(unknown) > most {
		list += fmt.Sprintf(" and %d more", len(unknown)-most)
	}
	return &UnsupportedError{"it needs operators that are not known here: " + list, adviceFor(unknown)}
}

// advice is what helps where an operator is missing: what in a training brings
// it into an export, and what to train or export instead.
var advice = []struct {
	operators []string
	text      string
}{
	{[]string{"ai.onnx.ml.SVMClassifier", "ai.onnx.ml.SVMRegressor"},
		"it comes from a support vector machine with a kernel (SVC, SVR, NuSVC, OneClassSVM); LinearSVC in CalibratedClassifierCV, LinearSVR, or a kernel approximation by a network or trees are served"},
	{[]string{"Scan", "com.microsoft.CDist", "CDist"},
		"it comes from distances between rows (k nearest neighbours, Gaussian processes, clustering); trees, linear models and networks are served"},
	{[]string{"StringNormalizer", "Tokenizer", "TfIdfVectorizer", "RegexFullMatch", "StringSplit", "StringConcat", "com.microsoft.Tokenizer"},
		"it comes from a text vectorizer (CountVectorizer, TfidfVectorizer); compute the columns before the model and train it on them"},
	{[]string{"Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "LSTM", "GRU", "RNN", "Attention"},
		"it comes from a network for images, text or sequences; this server is for tables: linear models, trees and networks of dense layers"},
	{[]string{"ScatterElements", "Loop", "If", "SequenceAt", "SplitToSequence", "ConcatFromSequence", "SequenceConstruct"},
		"it comes from control flow in the exported graph; export the model without loops (skl2onnx: options={\"zipmap\": False}; PyTorch: torch.onnx.export of a module without branches on values)"},
	{[]string{"ai.onnx.ml.TreeEnsemble"},
		"export the trees with version 3 of ai.onnx.ml (skl2onnx: target_opset={\"\": 21, \"ai.onnx.ml\": 3})"},
	{[]string{"DequantizeLinear", "QuantizeLinear", "QLinearMatMul", "MatMulInteger", "DynamicQuantizeLinear"},
		"it comes from quantisation; serve the model as it was before it"},
}

// adviceFor joins the advice for each of the operators that are missing.
func adviceFor(unknown []string) string {
	var out []string
	for _, a := range advice {
		for _, name := range a.operators {
			if _, missing := slices.BinarySearch(unknown, name); missing {
				out = append(out, name+": "+a.text)
				break
			}
		}
	}
	if out == nil {
		return "train or export it without them (docs/engine.md lists what is known)"
	}
	return strings.Join(out, "; ")
}

// explain turns an operator's refusal of its inputs' types into a message that
// names them and what mends the export.
func (b *building) explain(err error, n *onnx.Node, kinds []tensor.Datatype) error {
	var wrong *op.TypeError
	if !errors.As(err, &wrong) {
		return err
	}
	const most = 8
	var list []string
	for k, kind := range kinds {
		if kind == "" {
			continue
		}
		if len(list) == most {
			list = append(list, fmt.Sprintf("and %d more", len(kinds)-k))
			break
		}
		list = append(list, fmt.Sprintf("%q %s", n.Inputs[k], kind))
	}
	return &MismatchError{
		What:   fmt.Sprintf("its inputs are %s; %s", strings.Join(list, ", "), wrong),
		WayOut: typeAdvice(kinds),
	}
}

// typeAdvice is the exporter's option that mends a mixture of types.
func typeAdvice(kinds []tensor.Datatype) string {
	has := func(list ...tensor.Datatype) bool {
		return slices.ContainsFunc(kinds, func(k tensor.Datatype) bool { return slices.Contains(list, k) })
	}
	if alone := slices.Compact(slices.Sorted(slices.Values(kinds))); len(alone) == 1 && !has(tensor.Bytes, tensor.Bool, tensor.FP64) {
		return fmt.Sprintf("the operator is not known for %s here; export the model with another type there", alone[0])
	}
	switch {
	case has(tensor.FP64):
		return "double stands where another type is needed. Export from float32 data: skl2onnx to_onnx(model, X[:1].astype(numpy.float32)), or FloatTensorType for every numeric column; PyTorch: model.float()"
	case has(tensor.Bytes):
		return "text stands where numbers are needed. Put the encoder of the text columns (OneHotEncoder, OrdinalEncoder) into the exported pipeline"
	case has(tensor.FP32):
		return "whole or boolean columns were mixed with floats. Make every numeric column float32 before the export: X.astype(numpy.float32), FloatTensorType for each of them"
	case has(tensor.Bool):
		return "make boolean columns numbers before the export: X.astype(numpy.float32)"
	}
	return "export the model from float32 data"
}

// shapeAdvice is what is known of models whose widths contradict each other.
func (p *plan) shapeAdvice() string {
	const general = "the exported graph contradicts itself and answers no row. Compare the export with the trained model, step by step"
	if p.imputes {
		return general + "; a known cause is SimpleImputer(add_indicator=True), which skl2onnx exports without the indicator columns: leave add_indicator out, or make the indicators columns of the data"
	}
	return general
}

// loadError wraps what is wrong with a model. Names and shapes in it are the
// model's, which is free to make them as long as it likes: the message is cut.
type loadError struct{ err error }

func (e *loadError) Error() string {
	const most = 2000
	text := "loading the model into the native engine: " + e.err.Error()
	if r := []rune(text); len(r) > most {
		return string(r[:most/2]) + " [...] " + string(r[len(r)-most/2:])
	}
	return text
}

func (e *loadError) Unwrap() error { return e.err }
