package pipeline

import (
	"context"
	"math"

	"github.com/dosirak-ml/dosirak/pipeline/compare"
	"github.com/dosirak-ml/dosirak/pipeline/exam"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/metric"
	"github.com/dosirak-ml/dosirak/pipeline/predictions"
	"github.com/dosirak-ml/dosirak/pipeline/report"
)

// measure returns every metric of today's exam on one model's answers; nil is
// undefined. Metrics that are a command have no value for a replicate.
func (s *session) measure(ctx context.Context, f *predictionsFile) (map[report.Name]*float64, error) {
	set, err := f.read(ctx, s.exam)
	if err != nil {
		return nil, err
	}
	data := compare.Data(set)
	values := map[report.Name]*float64{}
	for _, want := range s.exam.Metrics {
		name := report.Name(want.Name)
		values[name] = nil
		if want.Command != "" {
			continue
		}
		m, err := metric.Lookup(want.Name)
		if err != nil {
			return nil, fault.Usage(err)
		}
		if v := m.Of(data); v.Defined() {
			values[name] = &v.V
		}
	}
	return values, nil
}

// calibrationBins is the number of bins of the calibration chart: with more,
// the outer ones hold too few rows to read.
const calibrationBins = 10

// calibrations holds predicted probabilities against observed frequencies, of the
// candidate and production. Only a binary task has one score to draw.
func (s *session) calibrations(ctx context.Context, a answerSet) (*report.Calibration, error) {
	if s.exam.Task != exam.Binary {
		return nil, nil
	}
	candidate, err := a.Candidate.read(ctx, s.exam)
	if err != nil {
		return nil, err
	}
	if candidate.Score == nil {
		return nil, nil
	}
	c := &report.Calibration{Class: report.NewText(s.exam.Data.Positive), Candidate: bins(candidate)}
	if a.Baseline == nil {
		return c, nil
	}
	baseline, err := a.Baseline.read(ctx, s.exam)
	if err != nil {
		return nil, err
	}
	if baseline.Score != nil {
		c.Baseline = bins(baseline)
	}
	return c, nil
}

func bins(s *predictions.Set) []report.Bin {
	var n, positives [calibrationBins]int64
	var sums [calibrationBins]float64
	for i, score := range s.Score {
		b := min(int(math.Floor(score*calibrationBins)), calibrationBins-1)
		n[b]++
		sums[b] += score
		if int(s.Label[i]) == s.Positive {
			positives[b]++
		}
	}
	out := make([]report.Bin, calibrationBins)
	for b := range out {
		out[b] = report.Bin{Low: float64(b) / calibrationBins, High: float64(b+1) / calibrationBins, N: n[b]}
		if n[b] > 0 {
			mean, observed := sums[b]/float64(n[b]), float64(positives[b])/float64(n[b])
			out[b].Mean, out[b].Observed = &mean, &observed
		}
	}
	return out
}

// seedPositions holds the candidate against the replicates of its own recipe, for each
// metric that gates.
func (s *session) seedPositions(replicates []report.Replicate) []report.SeedPosition {
	var out []report.SeedPosition
	for _, m := range s.exam.Metrics {
		if !m.Gated() || m.Direction == "" {
			continue
		}
		values := make([]float64, len(replicates))
		for i, r := range replicates {
			values[i] = math.NaN()
			if v := r.Metrics[report.Name(m.Name)]; v != nil {
				values[i] = *v
			}
		}
		j := compare.JudgeSeed(m.Name, m.Direction, values)
		out = append(out, report.SeedPosition{
			Metric: report.Name(j.Metric), Kind: report.SeedKind(j.Kind), Value: j.Value,
			Confidence: compare.SeedConfidence, Low: j.Low, High: j.High, Detail: report.NewProse(j.Detail),
		})
	}
	return out
}
