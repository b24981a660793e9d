package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/store"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Kind says how alike two trainings with the same seed came out.
type Kind string

const (
	Identical        Kind = "identical"         // the same bytes
	EqualPredictions Kind = "equal-predictions" // other bytes, the same answers
	Different        Kind = "different"         // other answers
)

// Side is one of two trainings with the same seed.
type Side struct {
	Model     string // path of the sealed model's file
	Replicate Replicate
	RunDir    string // absolute, for the replicate's paths
}

// PredictionDifference is how far the answers of two models are apart.
type PredictionDifference struct {
	Rows     int     `json:"rows"`      // that both models answered
	Changed  int     `json:"changed"`   // rows whose answers are not equal
	Labels   int     `json:"labels"`    // rows whose predicted class is another
	Largest  float64 `json:"largest"`   // largest absolute difference of a number
	LargestR float64 `json:"largest_r"` // largest relative difference of a number
	FirstRow string  `json:"first_row"` // id of the first row that changed
}

// Equal reports whether no answer differs.
func (d PredictionDifference) Equal() bool { return d.Changed == 0 }

// Predictions evaluates both models on the same rows. It is called only where
// the models' bytes differ.
type Predictions func(context.Context) (PredictionDifference, error)

// ModelDifference is a place at which two models differ.
type ModelDifference struct {
	Where  string `json:"where"`  // node and field, or tensor and element
	Detail string `json:"detail"` // what it was in either model
}

func (d ModelDifference) String() string { return d.Where + ": " + d.Detail }

// Proof is what came of training the first seed twice.
type Proof struct {
	Seed        int64                 `json:"seed"`
	Kind        Kind                  `json:"kind"`
	Model       *ModelDifference      `json:"model,omitempty"`        // first difference
	Differences int                   `json:"differences,omitempty"`  // how many places of the model differ
	SameContent bool                  `json:"same_content,omitempty"` // other bytes that say the same
	ModelError  string                `json:"model_error,omitempty"`  // why the models could not be told apart
	History     *HistoryDifference    `json:"history,omitempty"`      // first difference
	Predictions *PredictionDifference `json:"predictions,omitempty"`  // where the bytes differ
	Cause       string                `json:"cause,omitempty"`        // where it can be named
	Hint        string                `json:"hint,omitempty"`         // what to do about it
	Remembered  bool                  `json:"remembered,omitempty"`   // not repeated, for nothing changed
	Files       []store.File          `json:"files"`                  // of the first training
	TwinFiles   []store.File          `json:"twin_files"`             // of the second
}

// Prove compares two trainings of the same seed.
func Prove(ctx context.Context, first, second Side, predictions Predictions) (Proof, error) {
	p := Proof{Seed: first.Replicate.Seed, Files: first.Replicate.Files, TwinFiles: second.Replicate.Files}
	a, err := os.ReadFile(first.Model)
	if err != nil {
		return Proof{}, fault.Environment(fmt.Errorf("comparing two trainings of seed %d: %w", p.Seed, err))
	}
	b, err := os.ReadFile(second.Model)
	if err != nil {
		return Proof{}, fault.Environment(fmt.Errorf("comparing two trainings of seed %d: %w", p.Seed, err))
	}
	if p.History, err = compareHistories(first.history(), second.history()); err != nil {
		return Proof{}, fmt.Errorf("comparing two trainings of seed %d: %w", p.Seed, err)
	}
	if bytes.Equal(a, b) {
		p.Kind = Identical
		return p, nil
	}
	differences, same, err := compareModels(a, b)
	p.SameContent = same
	switch {
	case err != nil:
		p.ModelError = err.Error()
	case len(differences) > 0:
		p.Model, p.Differences = &ModelDifference{Where: differences[0].Where, Detail: differences[0].Detail}, len(differences)
	}
	diff, err := predictions(ctx)
	if err != nil {
		return Proof{}, fmt.Errorf("comparing two trainings of seed %d: %w", p.Seed, err)
	}
	p.Predictions = &diff
	p.Kind = Different
	if diff.Equal() {
		p.Kind = EqualPredictions
	}
	p.Cause, p.Hint = explain(p, differences)
	return p, nil
}

func (s Side) history() string {
	if s.Replicate.History == "" {
		return ""
	}
	return filepath.Join(s.RunDir, filepath.FromSlash(s.Replicate.History))
}

// Remember stores a proof under Result.ProofKey, so that it is not repeated
// while nothing changes.
func Remember(ctx context.Context, s *store.Store, run *store.Run, key string, p Proof) error {
	p.Remembered = true
	blobs := make([]string, 0, len(p.TwinFiles))
	for _, f := range p.TwinFiles {
		blobs = append(blobs, f.Digest)
	}
	if err := s.PutCache(ctx, proofKind, key, p, blobs...); err != nil {
		return err
	}
	return run.HoldCache(proofKind, key)
}

// explain names a cause where the differences tell it, and what to do.
func explain(p Proof, differences []bundle.Difference) (cause, hint string) {
	only := func(what func(bundle.Difference) bool) bool {
		for _, d := range differences {
			if !what(d) {
				return false
			}
		}
		return len(differences) > 0
	}
	graphName := func(d bundle.Difference) bool { return d.Where == "graph name" }
	switch {
	case p.SameContent:
		return "the models say the same in other bytes: the exporter writes its fields in no fixed order",
			"`reproduce: predictions` accepts that; bitwise needs an exporter that always writes the same bytes"
	case only(graphName):
		return "only the graph's name differs: skl2onnx's convert_sklearn draws a random one for each export, and so does onnxmltools",
			"export with skl2onnx.to_onnx, which gives a fixed name, or pass name= to the converter: convert_sklearn, convert_xgboost, convert_lightgbm"
	case only(func(d bundle.Difference) bool { return graphName(d) || isNote(d.Where) }):
		return "only notes in the model differ (names, documentation, producer or metadata), not what it computes",
			"write no time, path or random id into the model"
	case p.Kind == EqualPredictions:
		return "", "`reproduce: predictions` accepts equal answers; bitwise needs the same weights, or the same bytes from the exporter"
	case p.History != nil && p.History.First:
		return "the trainings differ from their first step on, so the start or the order of the rows is not the seed's",
			"give {seed} (DOSIRAK_SEED) to every generator of random numbers: initial weights, shuffles, splits, sampling"
	case p.History != nil:
		return "the trainings begin alike and part later: a generator that is first used then, or rounding that grows because threads or a GPU add in another order",
			"give {seed} (DOSIRAK_SEED) to every generator of random numbers; train with one thread (OMP_NUM_THREADS=1) or in the framework's deterministic mode, or set reproduce: {tolerance: ...}"
	}
	return "", "give {seed} (DOSIRAK_SEED) to every generator of random numbers; then look at threads (OMP_NUM_THREADS=1) and at what is read in no fixed order (folders, sets, queries without ORDER BY); a history.jsonl with one object a step shows where the trainings part"
}

// isNote reports whether a place of a model says nothing about what it
// computes.
func isNote(where string) bool {
	for _, part := range []string{"doc_string", "producer", "metadata", "model_version", "domain"} {
		if where == part || strings.HasSuffix(where, " "+part) || strings.Contains(where, part+" \"") {
			return true
		}
	}
	return strings.HasPrefix(where, "node ") && strings.HasSuffix(where, "\" name")
}

// Reproduce is how alike two trainings of one seed must be.
type Reproduce struct {
	Mode      string  // bitwise | predictions | tolerance | off
	Tolerance float64 // largest absolute difference of an answer, with mode tolerance
}

// ParseReproduce reads the form that an exam holds: "bitwise", "predictions",
// "off" or "tolerance 1e-06".
func ParseReproduce(text string) (Reproduce, error) {
	mode, number, more := strings.Cut(text, " ")
	switch {
	case !more && (mode == "bitwise" || mode == "predictions" || mode == "off"):
		return Reproduce{Mode: mode}, nil
	case more && mode == "tolerance":
		if tolerance, err := strconv.ParseFloat(number, 64); err == nil && tolerance > 0 && !math.IsInf(tolerance, 0) {
			return Reproduce{Mode: mode, Tolerance: tolerance}, nil
		}
	}
	return Reproduce{}, fault.Usage(fmt.Errorf("train.reproduce %q is none of bitwise, predictions, off, {tolerance: 1e-6}", text))
}

// String is what ParseReproduce reads.
func (r Reproduce) String() string {
	if r.Mode == "tolerance" {
		return r.Mode + " " + strconv.FormatFloat(r.Tolerance, 'g', -1, 64)
	}
	return r.Mode
}

// Judgement is the determinism gate.
type Judgement struct {
	Verdict verdict.Verdict `json:"verdict"`
	Judged  bool            `json:"judged"` // false with reproduce: off
	Reason  string          `json:"reason"`
	Hint    string          `json:"hint,omitempty"`
}

// Judge says whether a proof meets what is asked for: PASS or FAIL. Nil is no
// proof, which passes only when none is asked for.
func Judge(p *Proof, r Reproduce) Judgement {
	if r.Mode == "off" {
		return Judgement{Verdict: verdict.Pass, Reason: "not asked for (reproduce: off)"}
	}
	if p == nil {
		return Judgement{Verdict: verdict.Inconclusive, Judged: true, Reason: "no seed was trained twice", Hint: "run the training with its proof"}
	}
	met := false
	switch r.Mode {
	case "bitwise":
		met = p.Kind == Identical
	case "predictions":
		met = p.Kind == Identical || p.Kind == EqualPredictions
	case "tolerance":
		met = p.Kind == Identical || p.Predictions != nil && p.Predictions.Rows > 0 && p.Predictions.Labels == 0 && p.Predictions.Largest <= r.Tolerance
	}
	j := Judgement{Verdict: verdict.Fail, Judged: true, Reason: p.reason(), Hint: p.Hint}
	if met {
		j.Verdict, j.Hint = verdict.Pass, ""
	} else {
		j.Reason += fmt.Sprintf("; reproduce: %s asks for more", r)
	}
	return j
}

// reason is the proof in words.
func (p *Proof) reason() string {
	text := fmt.Sprintf("seed %d, trained twice, gave ", p.Seed)
	switch p.Kind {
	case Identical:
		text += "the same model, bit by bit"
	case EqualPredictions:
		text += fmt.Sprintf("models of different bytes with equal answers on %d rows", p.Predictions.Rows)
	default:
		text += "different models"
		if d := p.Predictions; d != nil {
			text += fmt.Sprintf(": %d of %d answers differ, by up to %.3g", d.Changed, d.Rows, d.Largest)
			if d.Labels > 0 {
				text += fmt.Sprintf(", %d in their class", d.Labels)
			}
		}
	}
	if p.Model != nil {
		text += "; the models differ first in " + p.Model.String()
		if p.Differences > 1 {
			text += fmt.Sprintf(" (and %d more)", p.Differences-1)
		}
	}
	if p.ModelError != "" {
		text += "; where they differ is not known: " + p.ModelError
	}
	if p.History != nil {
		text += "; the histories differ first in " + p.History.String()
	}
	if p.Cause != "" {
		text += "; " + p.Cause
	}
	return text
}

func orAbsent(text string) string {
	if text == "" {
		return "absent"
	}
	return text
}

// exists is false for "".
func exists(path string) (bool, error) {
	if path == "" {
		return false, nil
	}
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
