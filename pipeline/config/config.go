package config

import (
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// Config is dosirak.yaml, checked and with all defaults filled in.
//
// Tags: yaml is the key, default the YAML text of an absent key's value,
// validate the rules (validator/v10 and those of rules.go), doc the sentence
// that editors show.
type Config struct {
	Version    int       `yaml:"version" validate:"required,eq=1" doc:"Version of this format."`
	Model      string    `yaml:"model" validate:"required,modelname" doc:"Name of the model: lower-case letters, digits, . _ and -."`
	Mode       Mode      `yaml:"mode" default:"gate" validate:"oneof=gate advise" doc:"gate decides; advise reports and never blocks."`
	Task       exam.Task `yaml:"task" validate:"required,oneof=binary multiclass regression" doc:"What the model predicts."`
	Train      Train     `yaml:"train" validate:"required" doc:"How the model is trained."`
	Data       Data      `yaml:"data" validate:"required" doc:"The tables and the columns that have a meaning."`
	Metrics    []Metric  `yaml:"metrics" validate:"required,min=1,max=100,dive" doc:"What is measured, and which loss is acceptable."`
	Slices     []Slice   `yaml:"slices" validate:"max=100,dive" doc:"Subsets of the rows that are watched or gated."`
	Confidence float64   `yaml:"confidence" default:"0.95" validate:"gt=0.5,lt=1" doc:"Confidence of each bound; an interval of two such bounds has 2c-1."`
	Serve      Serve     `yaml:"serve" doc:"The server, its image and what it must keep."`
	Smoke      Smoke     `yaml:"smoke" doc:"The smoke test of the image."`
	Promote    Promote   `yaml:"promote" doc:"Where and when a promotion is proposed."`
	Report     Report    `yaml:"report" doc:"What a report says where others read it."`
	Registry   *Registry `yaml:"registry" doc:"The model registry that follows the manifest."`
	Tracking   *Tracking `yaml:"tracking" doc:"The experiment tracker that runs are told to."`
}

// LockFile holds, beside the config, the digests of the data that data.fetch
// brought.
const LockFile = "dosirak.lock"

// Mode says whether a verdict blocks.
type Mode string

const (
	Gate   Mode = "gate"
	Advise Mode = "advise"
)

// Blocks reports whether a verdict ends a run with its exit code. A mode
// changes no verdict: what only advises is said as it is, and blocks nothing.
func (m Mode) Blocks(v verdict.Verdict) bool { return m != Advise && v != verdict.Pass }

// Train says how a seed replicate is trained.
type Train struct {
	Command   string           `yaml:"command" validate:"command" doc:"Command that writes one model to {out}; it may use {seed}, {data} and {out}, or DOSIRAK_SEED, DOSIRAK_DATA and DOSIRAK_OUT."`
	Setup     string           `yaml:"setup" validate:"command" doc:"Command that runs once per lock digest, before the replicates."`
	Notebook  string           `yaml:"notebook" validate:"omitempty,path" doc:"Notebook, instead of a command."`
	Image     string           `yaml:"image" validate:"omitempty,singleline" doc:"Container image in which replicates run without network."`
	Inputs    []string         `yaml:"inputs" validate:"max=200,dive,glob" doc:"Paths that training depends on (** for any depth): unchanged inputs and seed reuse a replicate."`
	Seeds     []int64          `yaml:"seeds" default:"[1, 2, 3, 4, 5]" validate:"min=1,max=100,dive,min=0,max=4294967295" doc:"Seeds of the replicates; the first one's model is the candidate."`
	Parallel  int              `yaml:"parallel" default:"2" validate:"min=1,max=256" doc:"Replicates at once."`
	Timeout   Duration         `yaml:"timeout" default:"30m" doc:"Time that one replicate may take."`
	Reproduce Reproduce        `yaml:"reproduce" default:"bitwise" doc:"How equal two trainings with the same seed must be."`
	Baseline  TrainingBaseline `yaml:"baseline" default:"stored" validate:"oneof=stored retrain" doc:"Where the baseline's replicates come from."`
}

// TrainingBaseline says where the baseline's replicates come from.
type TrainingBaseline string

const (
	Stored  TrainingBaseline = "stored"
	Retrain TrainingBaseline = "retrain"
)

// Data names the tables and the columns that have a meaning.
type Data struct {
	Train     string   `yaml:"train" validate:"required,table" doc:"Training table: .csv, .tsv (both also .gz) or .parquet."`
	Eval      string   `yaml:"eval" validate:"required,table" doc:"Evaluation table, withheld from training."`
	Separator string   `yaml:"separator" validate:"omitempty,separator" doc:"What separates the cells of the tables, such as \";\" or tab; default: it is found."`
	Fetch     string   `yaml:"fetch" validate:"command" doc:"Command that brings data which are not in Git; their digests stand in dosirak.lock."`
	Label     string   `yaml:"label" validate:"required,column" doc:"Column that is predicted."`
	Positive  Scalar   `yaml:"positive" validate:"omitempty,singleline" doc:"Label of the positive class; of binary tasks."`
	Features  []string `yaml:"features" validate:"max=20000,dive,column" doc:"Columns in the order of a model with one input; default: the header's."`
	ID        string   `yaml:"id" validate:"omitempty,column" doc:"Column that pairs rows; default: the row number."`
	Group     string   `yaml:"group" validate:"omitempty,column" doc:"Column whose equal values mark rows that are not independent."`
	Weight    string   `yaml:"weight" validate:"omitempty,column" doc:"Column of sampling weights."`
	Time      string   `yaml:"time" validate:"omitempty,column" doc:"Column of times: no training row may be later than the first evaluation row."`
}

// Metric is one metric and its gates. One without margin, floor and ceiling is
// informational.
type Metric struct {
	Name      string         `yaml:"name" validate:"required,metricname" doc:"Name of the metric."`
	Direction exam.Direction `yaml:"direction" validate:"omitempty,oneof=higher lower" doc:"Which way is better; required with a margin."`
	Margin    *exam.Margin   `yaml:"margin" doc:"Loss that is acceptable: 0.01 in the metric's unit, or 2% of the baseline."`
	Floor     *float64       `yaml:"floor" doc:"Value that must be reached, whatever the baseline; of metrics where higher is better."`
	Ceiling   *float64       `yaml:"ceiling" doc:"Value that must not be exceeded, whatever the baseline; of metrics where lower is better."`
	Primary   bool           `yaml:"primary" doc:"The metric that decides whether a change is an improvement; default: the first one with a gate."`
	Command   string         `yaml:"command" validate:"command" doc:"Command that computes a metric of your own."`
}

// Slice is a subset of the rows: each level of a column, or the rows for which
// an expression holds.
type Slice struct {
	Name   string         `yaml:"name" validate:"omitempty,slicename" doc:"Name of the slice; default: the column's."`
	Column string         `yaml:"column" validate:"omitempty,column" doc:"Column each of whose levels is a slice."`
	Where  string         `yaml:"where" doc:"Condition, such as: distance > 1500 and origin != 'LGA'."`
	Mode   exam.SliceMode `yaml:"mode" default:"alarm" validate:"oneof=alarm gate" doc:"alarm fails on a significant loss; gate must be shown to keep the margin."`
	Metric string         `yaml:"metric" validate:"omitempty,metricname" doc:"Metric of the slice; default: the primary one."`
	Margin *exam.Margin   `yaml:"margin" doc:"Loss that is acceptable; default: the metric's."`
	MinN   int            `yaml:"min_n" default:"100" validate:"min=1,max=1000000000" doc:"Rows below which the slice is listed but not judged."`
}

// Serve says what serves the model.
type Serve struct {
	Engine     string `yaml:"engine" default:"auto" validate:"oneof=auto native onnxruntime" doc:"Engine of the model server."`
	Dockerfile string `yaml:"dockerfile" validate:"omitempty,path" doc:"A server of your own, built from this file."`
	Image      string `yaml:"image" validate:"omitempty,singleline" doc:"A server of your own, as an image."`
	Command    string `yaml:"command" validate:"command" doc:"A server of your own, started by a command."`
	Protocol   string `yaml:"protocol" validate:"omitempty,oneof=v2 grpc mlflow plain" doc:"What a server of your own speaks."`
	Repository string `yaml:"repository" validate:"omitempty,repository" doc:"Repository of the image, without tag."`
	Golden     Golden `yaml:"golden" doc:"Rows whose answers every server must give again."`
	SLO        SLO    `yaml:"slo" doc:"What the smoke test requires of the image."`
}

// Golden says which rows become golden examples.
type Golden struct {
	Rows int    `yaml:"rows" default:"32" validate:"min=1,max=10000" doc:"Number of rows."`
	From string `yaml:"from" default:"eval" validate:"golden" doc:"eval (evaluation rows ship inside the image) or the path of a table."`
}

// SLO holds service levels; nil is unset.
type SLO struct {
	Rate      *Rate     `yaml:"rate" doc:"Requests at which p99 holds."`
	P99       *Duration `yaml:"p99" doc:"99th percentile of the latency."`
	Ready     *Duration `yaml:"ready" doc:"Time from start to ready."`
	ImageSize *Size     `yaml:"image_size" doc:"Size of the image."`
	Memory    *Size     `yaml:"memory" doc:"Memory of the running server."`
}

// Smoke says how long the smoke test may take.
type Smoke struct {
	Profile string `yaml:"profile" default:"quick" validate:"oneof=quick full" doc:"quick takes at most 5 s, full at most 30 s."`
}

// Rows says what is told of single evaluation rows.
type Rows string

const (
	ShowRows Rows = "show" // ids, labels and predictions
	ShowIDs  Rows = "ids"
	HideRows Rows = "hide"
)

// Report says what is published: the comment, the summary, the page and the
// artifacts of a workflow.
type Report struct {
	Rows Rows `yaml:"rows" validate:"omitempty,oneof=show ids hide" doc:"What is published of single evaluation rows; default: show where the evaluation table is in Git, and hide where it is not."`
}

// Promote says where and when a promotion is proposed.
type Promote struct {
	Environments []string  `yaml:"environments" default:"[production]" validate:"min=1,max=20,dive,environment" doc:"Environments in the order of promotion."`
	Manifest     string    `yaml:"manifest" default:"deploy/{environment}.yaml" validate:"manifest" doc:"Path of an environment's manifest."`
	Base         string    `yaml:"base" validate:"omitempty,branch" doc:"Branch that a promotion is proposed to; default: the repository's default branch."`
	When         exam.When `yaml:"when" default:"not-worse" validate:"oneof=improved not-worse" doc:"What a promotion asks for: a PASS, or a PASS with the primary metric improved."`
}

// Registry names the model registry that follows the manifest.
type Registry struct {
	MLflow *MLflowRegistry `yaml:"mlflow" doc:"MLflow's model registry."`
}

// MLflowRegistry names a model and the alias that marks production.
type MLflowRegistry struct {
	Model string `yaml:"model" validate:"required,singleline" doc:"Registered model."`
	Alias string `yaml:"alias" default:"champion" validate:"singleline" doc:"Alias that marks the version in production."`
}

// Tracking names the experiment trackers.
type Tracking struct {
	MLflow *struct{} `yaml:"mlflow" doc:"MLflow, found by its own environment variables."`
	WandB  *struct{} `yaml:"wandb" doc:"Weights & Biases, found by its own environment variables."`
	Bound  Duration  `yaml:"bound" default:"10s" doc:"Time that telling the tracker may take."`
}
