package report

import "github.com/dosirak-ml/dosirak/pipeline/verdict"

// SchemaName names the format of report.json.
const SchemaName = "dosirak/report/v1"

// Report is the content of report.json.
type Report struct {
	Schema    string          `json:"schema"` // dosirak/report/v1
	Run       Run             `json:"run"`
	Verdict   verdict.Verdict `json:"verdict"`           // of the run: its worst gate's
	Unchanged bool            `json:"unchanged"`         // the candidate is the baseline's own bundle
	Claimed   bool            `json:"claimed,omitempty"` // the change's own code answered, so the figures are its claim
	// Reasons for the verdict, the weightiest first. Empty: they are worked
	// out from the rest of the report.
	Headline  []Prose `json:"headline"`
	Warnings  []Prose `json:"warnings,omitempty"`
	Candidate Model   `json:"candidate"`
	Baseline  *Model  `json:"baseline"` // null: a first model
	Anchor    *Model  `json:"anchor"`   // the last model promoted as improved
	N         int     `json:"n"`        // paired evaluation rows
	Groups    int     `json:"groups,omitempty"`
	NEff      float64 `json:"n_eff,omitempty"` // effective number of rows, with weights

	Metrics            []Metric       `json:"metrics"`
	Slices             []Slice        `json:"slices"`
	Levels             []Levels       `json:"levels,omitempty"`
	Replicates         []Replicate    `json:"replicates"`
	BaselineReplicates []Replicate    `json:"baseline_replicates,omitempty"`
	SeedPositions      []SeedPosition `json:"seed_positions,omitempty"`
	Recipes            []Recipe       `json:"recipes,omitempty"` // shown, never a gate
	Determinism        *Determinism   `json:"determinism"`
	Export             *Export        `json:"export,omitempty"`
	Exams              []Exam         `json:"exams"`
	Smoke              *Smoke         `json:"smoke"`
	Calibration        *Calibration   `json:"calibration,omitempty"`
	Leakage            []Finding      `json:"leakage,omitempty"`
	WhyDifferent       *WhyDifferent  `json:"why_different,omitempty"`
	Provenance         []Fact         `json:"provenance,omitempty"` // in the order in which they are shown
	Luck               RetiredList    `json:"luck,omitempty"`       // in reports of earlier versions
}

// Run says what was run on what.
type Run struct {
	ID          Name    `json:"id"`
	Model       Name    `json:"model"`
	Environment Name    `json:"environment,omitempty"`
	Task        Task    `json:"task"`
	Mode        Mode    `json:"mode"`
	Commit      Commit  `json:"commit,omitempty"`
	Dirty       bool    `json:"dirty"`            // the work tree differed from the commit
	Folder      Text    `json:"folder,omitempty"` // of the project, from the repository's top; empty: the top
	Config      Text    `json:"config,omitempty"`
	Seeds       []int64 `json:"seeds"`
	Confidence  float64 `json:"confidence"` // of each bound
	Data        Data    `json:"data"`
	Dosirak     Name    `json:"dosirak"` // version
	DurationMS  *int64  `json:"duration_ms,omitempty"`
}

// Task is what the model predicts: binary, multiclass or regression.
type Task string

// Regression predicts numbers, so nothing of it flips.
const Regression Task = "regression"

// Mode is gate, which blocks, or advise, which only says.
type Mode string

const (
	Gate   Mode = "gate"
	Advise Mode = "advise"
)

// Data is the data that the run read.
type Data struct {
	Train *DataFile `json:"train,omitempty"`
	Eval  *DataFile `json:"eval,omitempty"`
}

// DataFile names one data file by its digest.
type DataFile struct {
	Digest Digest `json:"digest"`
	Rows   int64  `json:"rows"`
}

// Model names a model by its digests.
type Model struct {
	Bundle      Digest `json:"bundle"`
	Image       Image  `json:"image,omitempty"`
	Predictions Digest `json:"predictions,omitempty"` // of its predictions file, before any compression
}

// Against says which model a candidate was compared with.
type Against string

const (
	AgainstBaseline Against = "baseline"
	AgainstAnchor   Against = "anchor"
)

// Metric is one metric of candidate and baseline, and what was judged of it.
type Metric struct {
	Name      Name      `json:"name"`
	Direction Direction `json:"direction,omitempty"`
	Against   Against   `json:"against,omitempty"` // empty: baseline
	Primary   bool      `json:"primary,omitempty"`
	Baseline  *float64  `json:"baseline"`
	Candidate *float64  `json:"candidate"`
	Delta     *float64  `json:"delta"` // candidate - baseline
	// Improvement is Delta oriented so that positive is better.
	Improvement *float64        `json:"improvement"`
	CI          *Interval       `json:"ci"`                 // of the improvement
	Value       *Interval       `json:"value_ci,omitempty"` // of the candidate's value, where a floor or ceiling is judged
	Margin      Margin          `json:"margin,omitempty"`
	Verdict     verdict.Verdict `json:"verdict,omitempty"` // empty: informational
	Improved    bool            `json:"improved"`
	Floor       *float64        `json:"floor,omitempty"`
	Ceiling     *float64        `json:"ceiling,omitempty"`
	SE          *float64        `json:"se,omitempty"` // of the improvement, in the unit of CI
	// MDE is the margin at which an unchanged model passes 4 times in 5, in
	// the unit of CI.
	MDE        *float64 `json:"mde,omitempty"`
	RowsNeeded *int64   `json:"rows_needed,omitempty"` // at which MDE is the margin; groups, where there are groups
	Resampling Retired  `json:"resampling,omitempty"`  // in reports of earlier versions
	Reason     Prose    `json:"reason,omitempty"`
}

// Levels names the levels of a slice column that came or went.
type Levels struct {
	Column   Text   `json:"column"`
	New      []Text `json:"new,omitempty"`
	Vanished []Text `json:"vanished,omitempty"`
}

// Direction says which way a metric is better.
type Direction string

const (
	Higher Direction = "higher"
	Lower  Direction = "lower"
)

// Scale is the unit of an interval.
type Scale string

const (
	// Difference is the unit of the metric.
	Difference Scale = "difference"
	// Ratio is the improvement divided by the baseline's value: 0.02 is 2 %
	// better, so a bound is held against -margin on this scale too.
	Ratio Scale = "ratio"
)

// Interval is a confidence interval. With Sides 1, the rule of this project,
// each bound holds with Confidence, so that low..high holds with
// 2·Confidence - 1. With Sides 2 low..high holds with Confidence. A nil bound
// is undefined.
type Interval struct {
	Low        *float64 `json:"low"`
	High       *float64 `json:"high"`
	Confidence float64  `json:"confidence"`
	Sides      int      `json:"sides"`
	Scale      Scale    `json:"scale"`
	Method     Prose    `json:"method,omitempty"`
	Source     Prose    `json:"source,omitempty"` // who published the method
}

// Slice is one subset of the rows and what was judged of it.
type Slice struct {
	Name        Text            `json:"name,omitempty"`
	Column      Text            `json:"column,omitempty"`
	Level       Text            `json:"level,omitempty"` // of Column
	Where       Text            `json:"where,omitempty"`
	Mode        SliceMode       `json:"mode,omitempty"`
	Metric      Name            `json:"metric"`
	Direction   Direction       `json:"direction,omitempty"`
	Against     Against         `json:"against,omitempty"` // empty: baseline
	N           int             `json:"n"`
	MinN        int             `json:"min_n,omitempty"`
	Baseline    *float64        `json:"baseline"`
	Candidate   *float64        `json:"candidate"`
	Improvement *float64        `json:"improvement"`
	CI          *Interval       `json:"ci"`
	Margin      Margin          `json:"margin,omitempty"`
	P           *float64        `json:"p,omitempty"`       // alarm: of "not below -margin"
	PHolm       *float64        `json:"p_holm,omitempty"`  // adjusted over all alarms
	Verdict     verdict.Verdict `json:"verdict,omitempty"` // empty: listed, not judged
	Reason      Prose           `json:"reason,omitempty"`
}

// SliceMode is alarm or gate.
type SliceMode string

const (
	AlarmSlice SliceMode = "alarm"
	GateSlice  SliceMode = "gate"
)

// Replicate is one training run with one seed.
type Replicate struct {
	Seed       int64             `json:"seed"`
	Metrics    map[Name]*float64 `json:"metrics"` // null: undefined
	Reused     bool              `json:"reused,omitempty"`
	DurationMS *int64            `json:"duration_ms,omitempty"`
	// Where these are the same for all, the seed changes nothing.
	Model       Digest `json:"model,omitempty"`       // of the model's file
	Predictions Digest `json:"predictions,omitempty"` // of its answers to the evaluation rows
}

// SeedKind says where the candidate lies against the prediction interval of its
// own replicates.
type SeedKind string

const (
	SeedWithin  SeedKind = "within"
	SeedBetter  SeedKind = "better"
	SeedWorse   SeedKind = "worse"
	SeedUnknown SeedKind = "unknown" // too few seeds
)

// SeedPosition holds the candidate's value of one metric against the prediction
// interval of its own replicates.
type SeedPosition struct {
	Metric Name     `json:"metric"`
	Kind   SeedKind `json:"kind"`
	Value  *float64 `json:"value"`
	// Confidence is that of low..high, both sides together; 0: not said.
	Confidence float64  `json:"confidence,omitempty"`
	Low        *float64 `json:"low"`
	High       *float64 `json:"high"`
	Detail     Prose    `json:"detail,omitempty"`
}

// Recipe compares two recipes, not two models, on one metric: the means over
// the seeds of each, with an interval that holds for other seeds and other
// rows. Its verdict informs and gates nothing.
type Recipe struct {
	Metric      Name        `json:"metric"`
	Direction   Direction   `json:"direction,omitempty"`
	Seeds       RecipeSeeds `json:"seeds"`
	Candidate   *float64    `json:"candidate"` // mean over its seeds
	Baseline    *float64    `json:"baseline"`
	Improvement *float64    `json:"improvement"`
	CI          *Interval   `json:"ci"`           // of the improvement
	SE          *float64    `json:"se,omitempty"` // of the improvement, in the unit of CI
	DF          *float64    `json:"df,omitempty"` // Satterthwaite's degrees of freedom
	Margin      Margin      `json:"margin,omitempty"`
	// Verdict is what a gate would say; empty without a margin.
	Verdict    verdict.Verdict `json:"verdict,omitempty"`
	Improved   bool            `json:"improved"`
	Reason     Prose           `json:"reason,omitempty"`
	Components *Components     `json:"components,omitempty"`
}

// RecipeSeeds counts the seeds of each side. One seed of the baseline is a
// fixed model, the effect of its own seed included.
type RecipeSeeds struct {
	Candidate int `json:"candidate"`
	Baseline  int `json:"baseline"`
}

// Components are the parts of the variance of a recipe's improvement, in the
// metric's unit squared. The variance is SeedsCandidate + SeedsBaseline +
// Rows - Interaction, and never less than that of the seeds or of the rows
// alone.
type Components struct {
	SeedsCandidate float64 `json:"seeds_candidate"`
	SeedsBaseline  float64 `json:"seeds_baseline"` // 0: a fixed model
	Rows           float64 `json:"rows"`           // of rows, or groups
	Interaction    float64 `json:"interaction"`    // held by both of the above, and taken off once
}

// DeterminismKind says how the two trainings of the first seed differ.
type DeterminismKind string

const (
	Identical        DeterminismKind = "identical"         // the same bytes
	EqualPredictions DeterminismKind = "equal-predictions" // other bytes, the same answers
	WithinTolerance  DeterminismKind = "within-tolerance"  // other answers, within what `reproduce` allows
	Different        DeterminismKind = "different"
	ProofOff         DeterminismKind = "off" // reproduce: off
)

// Determinism is the proof that the same seed gives the same model.
type Determinism struct {
	Kind              DeterminismKind `json:"kind"`
	Verdict           verdict.Verdict `json:"verdict,omitempty"` // empty: not asked for
	Required          Text            `json:"required,omitempty"`
	Remembered        bool            `json:"remembered,omitempty"` // proved by an earlier run with the same inputs
	Claimed           bool            `json:"claimed,omitempty"`    // by the change's own jobs; nobody else saw it
	Seed              *int64          `json:"seed,omitempty"`
	First             Digest          `json:"first,omitempty"`  // bundle of the first training
	Second            Digest          `json:"second,omitempty"` // bundle of the second
	MaxDifference     *float64        `json:"max_difference,omitempty"`
	Reason            Prose           `json:"reason,omitempty"`
	FirstDifference   Prose           `json:"first_difference,omitempty"`   // field or tensor of the model
	HistoryDifference Prose           `json:"history_difference,omitempty"` // step of history.jsonl
	Hint              Prose           `json:"hint,omitempty"`
}

// Export says whether the sealed model says of rows of the training table what
// the model that was trained said of them.
type Export struct {
	Verdict     verdict.Verdict    `json:"verdict,omitempty"`  // empty: nothing was compared, Reason says why, or it is claimed
	Claimed     bool               `json:"claimed,omitempty"`  // what the trained model said is the change's own word
	Rows        int64              `json:"rows"`               // that were compared
	Of          int64              `json:"of,omitempty"`       // rows that the trainer wrote of
	Relative    float64            `json:"relative,omitempty"` // tolerance: absolute + relative * |trained|
	Absolute    float64            `json:"absolute,omitempty"`
	Differ      int64              `json:"differ"`
	Largest     *float64           `json:"largest,omitempty"` // distance of two numbers
	Differences []ExportDifference `json:"differences,omitempty"`
	Cause       Prose              `json:"cause,omitempty"`
	Columns     []Text             `json:"columns,omitempty"` // that the cause concerns
	Reason      Prose              `json:"reason,omitempty"`
}

// ExportDifference is a row of which the two models do not say the same.
type ExportDifference struct {
	Row     Text `json:"row"`
	Column  Text `json:"column"` // prediction, score or p_<class>
	Trained Text `json:"trained"`
	Served  Text `json:"served"`
}

// ExamRole is today, or promoted: the exam by which production was promoted.
type ExamRole string

const (
	Today    ExamRole = "today"
	Promoted ExamRole = "promoted"
)

// Exam is one exam that judged the change.
type Exam struct {
	Digest  Digest          `json:"digest"`
	Role    ExamRole        `json:"role"`
	Verdict verdict.Verdict `json:"verdict,omitempty"`
	Changes []ExamChange    `json:"changes,omitempty"` // of today's exam from this one
	Reason  Prose           `json:"reason,omitempty"`
	// Accepted says that a person accepted today's comparison in the place of
	// this one, which cannot be answered any more: it binds no verdict.
	Accepted bool `json:"accepted,omitempty"`
}

// ExamChange is one thing that differs between two exams.
type ExamChange struct {
	Path Text `json:"path"`
	Old  Text `json:"old"`
	New  Text `json:"new"`
}

// SmokeTarget is container or process.
type SmokeTarget string

// Smoke is the test of the server as its callers would use it.
type Smoke struct {
	Target     SmokeTarget `json:"target"`
	Why        Prose       `json:"why,omitempty"` // why this target
	Checks     []Check     `json:"checks"`
	Latencies  *Latencies  `json:"latencies,omitempty"`
	ReadyMS    *float64    `json:"ready_ms,omitempty"`
	ReadySLO   *float64    `json:"ready_slo_ms,omitempty"`
	ImageSize  *int64      `json:"image_size,omitempty"` // bytes
	ImageSLO   *int64      `json:"image_slo,omitempty"`
	Compressed *int64      `json:"image_compressed,omitempty"` // bytes to download
	Memory     *int64      `json:"memory,omitempty"`           // bytes, peak
	MemorySLO  *int64      `json:"memory_slo,omitempty"`
}

// Check is one smoke check.
type Check struct {
	Name       Text            `json:"name"`
	Verdict    verdict.Verdict `json:"verdict,omitempty"` // empty: not run
	Detail     Prose           `json:"detail,omitempty"`
	DurationMS *float64        `json:"duration_ms,omitempty"`
}

// Latencies are milliseconds from request to answer.
type Latencies struct {
	Requests int64    `json:"requests"`
	Rate     *float64 `json:"rate,omitempty"` // requests a second
	RateSLO  *float64 `json:"rate_slo,omitempty"`
	P50      *float64 `json:"p50"`
	P90      *float64 `json:"p90,omitempty"`
	P99      *float64 `json:"p99"`
	P999     *float64 `json:"p999,omitempty"`
	Max      *float64 `json:"max,omitempty"`
	P99SLO   *float64 `json:"p99_slo,omitempty"`
}

// Calibration holds predicted probabilities against observed frequencies.
type Calibration struct {
	Class     Text  `json:"class,omitempty"` // whose probability it is
	Candidate []Bin `json:"candidate"`
	Baseline  []Bin `json:"baseline,omitempty"`
}

// Bin is the rows whose predicted probability lies in [Low, High).
type Bin struct {
	Low      float64  `json:"low"`
	High     float64  `json:"high"`
	N        int64    `json:"n"`
	Mean     *float64 `json:"mean_prediction"` // null: no rows
	Observed *float64 `json:"observed"`        // share of rows of the class
}

// Finding is something that training and evaluation data share and should not.
type Finding struct {
	Kind     FindingKind     `json:"kind"`
	Verdict  verdict.Verdict `json:"verdict,omitempty"` // empty: pointed out only
	Count    int64           `json:"count"`
	Of       int64           `json:"of,omitempty"`
	Detail   Prose           `json:"detail"`
	Examples []Text          `json:"examples,omitempty"`
}

// FindingKind is rows, ids, groups, time or group-column.
type FindingKind string

// WhyDifferent says what differs between candidate and production.
type WhyDifferent struct {
	Changes []Change `json:"changes"`
	Flips   *Flips   `json:"flips,omitempty"`
}

// Change is one thing that differs. Kind is parameter, data, code, dependency,
// hardware or seed.
type Change struct {
	Kind ChangeKind `json:"kind"`
	Path Text       `json:"path"`
	Old  Text       `json:"old,omitempty"`
	New  Text       `json:"new,omitempty"`
}

// ChangeKind groups changes.
type ChangeKind string

// Flips counts the rows whose predicted class changed, or of a regression those
// whose prediction moved by more than Moved.
type Flips struct {
	N         int64 `json:"n"`
	Of        int64 `json:"of"`
	Fixed     int64 `json:"fixed"`     // wrong before, right now; of a regression: nearer to the target
	Regressed int64 `json:"regressed"` // right before, wrong now; of a regression: farther away
	// Moved is the baseline's median absolute error, for a regression alone: a
	// smaller change than that is not counted.
	Moved   *float64    `json:"moved,omitempty"`
	Rows    []Flip      `json:"rows,omitempty"`
	BySlice []SliceFlip `json:"by_slice,omitempty"`
	// Mended and Broken are what earlier versions called Fixed and Regressed.
	Mended   int64 `json:"mended,omitempty"`
	Broken   int64 `json:"broken,omitempty"`
	Complete bool  `json:"complete"`           // Rows holds all of them
	Withheld bool  `json:"withheld,omitempty"` // rows are not published, or their ids alone
}

// Flip is one row whose predicted class changed, or whose prediction moved.
type Flip struct {
	ID        Text `json:"id"`
	Label     Text `json:"label"` // or target
	Baseline  Text `json:"baseline"`
	Candidate Text `json:"candidate"`
}

// SliceFlip counts flips in one level of a slice column.
type SliceFlip struct {
	Column Text  `json:"column"`
	Level  Text  `json:"level"`
	N      int64 `json:"n"`
	Of     int64 `json:"of"`
}

// Fact is a line of the provenance.
type Fact struct {
	Name  Text  `json:"name"`
	Value Prose `json:"value"`
}
