package markdown

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/report"
	"github.com/dosirak-ml/dosirak/pipeline/verdict"
)

// group folds sections into one part, which is named by what is in it. Without
// a section there is no part.
func (w *writer) group(sections ...func()) {
	outer := w.b
	w.before += outer.Len()
	w.b, w.titles, w.unfold = strings.Builder{}, nil, false
	for _, section := range sections {
		if !w.over() {
			section()
		}
	}
	inner, tag := w.b.String(), "<details>"
	if w.unfold {
		tag = "<details open>"
	}
	w.before -= outer.Len()
	w.b = strings.Builder{}
	w.str(outer.String())
	if len(w.titles) > 0 {
		// GitHub needs the blank lines to read Markdown inside.
		w.str("\n" + tag + "<summary>" + strings.Join(w.titles, " · ") + "</summary>\n\n" + inner + "\n</details>\n")
	}
}

// section begins a section of a group; the first one needs no title beside the
// group's.
func (w *writer) section(title string, open bool) {
	if len(w.titles) > 0 {
		w.str("\n**" + title + "**\n\n")
	}
	w.titles, w.unfold = append(w.titles, title), w.unfold || open
}

func (w *writer) more(left int) {
	if left > 0 {
		w.printf("\nand %s more in the run's report.\n", report.Count(int64(left)))
	}
}

func (w *writer) metrics() {
	order := w.r.MetricOrder()
	if len(order) == 0 {
		return
	}
	w.section(fmt.Sprintf("All %d metrics", len(order)), w.open)
	shown := order[:min(len(order), w.form.items)]
	w.metricTable(shown)
	w.more(len(order) - len(shown))
	w.notes(shown)
}

// notes says how each interval was made, what else was asked, and what the
// test could see.
func (w *writer) notes(order []int) {
	w.str("\n")
	for _, i := range order {
		m := &w.r.Metrics[i]
		if m.CI == nil && m.Reason == "" {
			continue
		}
		w.str("- ")
		name(&w.b, m.Name)
		if m.Against == report.AgainstAnchor {
			w.str(" against the anchor")
		}
		w.str(":")
		if m.CI != nil && m.CI.Method != "" {
			w.str(" ")
			w.prose(string(m.CI.Method))
		}
		if b := m.Bounds(); b != "" {
			w.str(", must be " + b)
		}
		if m.MDE != nil && m.Margin != "" {
			w.printf(", the least margin that an unchanged model would pass 4 times in 5 is %s", m.CI.Scaled(*m.MDE))
		}
		if enough := w.r.WouldTell(m); enough != "" && m.Verdict == verdict.Inconclusive {
			w.str(", " + enough + " would tell")
		}
		if m.Reason != "" {
			if m.CI != nil {
				w.str(";")
			}
			w.str(" ")
			w.prose(string(m.Reason))
		}
		w.str("\n")
	}
}

func (w *writer) slices() {
	order := w.r.SliceOrder()
	if len(order) == 0 {
		return
	}
	matter := 0
	for _, i := range order {
		if w.r.Slices[i].Matters() {
			matter++
		}
	}
	title := fmt.Sprintf("%s slices", report.Count(int64(len(order))))
	if matter > 0 {
		title += fmt.Sprintf(", %d of them to look at", matter)
	}
	w.section(title, w.open)
	w.str("| slice | ┊ margin · │ no change | baseline → candidate | better by | margin | rows |\n|:--|:-:|:--|:--|--:|--:|\n")
	shown := order[:min(len(order), w.form.items)]
	for _, i := range shown {
		if w.over() {
			return
		}
		s := &w.r.Slices[i]
		w.str("| " + mark(s.Verdict) + " ")
		w.slice(s)
		w.str(", ")
		name(&w.b, s.Metric)
		w.comparison(s.Comparison(), s.Margin)
		w.str(" | " + report.Count(int64(s.N)) + " |\n")
	}
	w.more(len(order) - len(shown))
	for _, i := range shown {
		s := &w.r.Slices[i]
		if remarks := s.Remarks(); remarks != "" && (s.Verdict == "" || s.Matters()) {
			w.str("\n- ")
			w.slice(s)
			w.str(": ")
			w.prose(remarks)
		}
	}
	w.str("\n")
}

func (w *writer) slice(s *report.Slice) {
	switch {
	case s.Column != "":
		w.code(string(s.Column))
		w.str(" = ")
		w.code(string(s.Level))
	case s.Name != "" && s.Where != "":
		w.code(string(s.Name))
		w.str(": ")
		w.code(string(s.Where))
	default:
		w.code(s.Label())
	}
	if s.Mode == report.GateSlice {
		w.str(" (gate)")
	}
}

func (w *writer) seeds() {
	reps := w.r.Replicates
	if len(reps) == 0 {
		return
	}
	w.section(fmt.Sprintf("Replicates by seed (%d)", len(reps)), false)
	names := w.r.ReplicateMetrics()
	w.str("| seed |")
	for _, n := range names {
		w.str(" ")
		name(&w.b, n)
		w.str(" |")
	}
	w.str(" |\n|--:|")
	for range names {
		w.str("--:|")
	}
	w.str(":--|\n")
	row := func(rep report.Replicate, note string) {
		w.str("| " + strconv.FormatInt(rep.Seed, 10) + " |")
		for _, n := range names {
			w.str(" " + number(rep.Metrics[n]) + " |")
		}
		if rep.Reused {
			note += ", reused"
		}
		w.str(" " + note + " |\n")
	}
	for i, rep := range reps[:min(len(reps), w.form.items)] {
		note := "replicate"
		if i == 0 {
			note = "**candidate**"
		}
		row(rep, note)
	}
	for _, rep := range w.r.BaselineReplicates[:min(len(w.r.BaselineReplicates), w.form.items)] {
		row(rep, "baseline's recipe")
	}
	for _, l := range w.r.SeedPositions {
		if l.Kind == report.SeedWithin {
			continue
		}
		w.str("\n- ")
		name(&w.b, l.Metric)
		w.str(": ")
		w.prose(l.Sentence())
		w.str("\n")
	}
}

// recipes compares the means over the seeds.
func (w *writer) recipes() {
	all := w.r.Recipes
	if len(all) == 0 {
		return
	}
	w.section(fmt.Sprintf("Recipe against recipe, %s", all[0].Sides()), false)
	w.prose(w.r.RecipesNote())
	w.str("\n\n| metric | ┊ margin · │ no change | baseline → candidate | better by | margin | would be |\n|:--|:-:|:--|:--|--:|:--|\n")
	shown := all[:min(len(all), w.form.items)]
	for i := range shown {
		x := &shown[i]
		w.str("| ")
		name(&w.b, x.Metric)
		w.comparison(x.Comparison(), x.Margin)
		w.str(" | " + string(x.Verdict) + " |\n")
	}
	w.more(len(all) - len(shown))
	w.str("\n")
	for i := range shown {
		x := &shown[i]
		w.str("- ")
		name(&w.b, x.Metric)
		w.str(", " + x.Sides() + ": ")
		w.prose(x.Remarks(w.r.Units()))
		if own := w.r.Dissent(x); own != "" {
			w.str("; the candidate's own verdict is " + string(own))
		}
		w.str("\n")
	}
}

func number(v *float64) string {
	if v == nil {
		return report.Undefined
	}
	return report.Number(*v)
}

func (w *writer) proof() {
	d := w.r.Determinism
	if d == nil || (d.FirstDifference == "" && d.HistoryDifference == "" && d.Hint == "") {
		return
	}
	w.section("What differed between two trainings with the same seed", d.Verdict == verdict.Fail)
	for _, p := range []struct {
		what string
		text report.Prose
	}{{"In the model", d.FirstDifference}, {"In the history", d.HistoryDifference}, {"Hint", d.Hint}} {
		if p.text != "" {
			w.str("- " + p.what + ": ")
			w.prose(string(p.text))
			w.str("\n")
		}
	}
}

func (w *writer) export() {
	e := w.r.Export
	if e == nil || len(e.Differences) == 0 && e.Cause == "" {
		return
	}
	w.section("Rows of which what ships says something else than what was trained", true)
	if e.Cause != "" {
		w.prose("Likely cause: " + string(e.Cause) + ".")
		w.str("\n\n")
	}
	if len(e.Differences) == 0 {
		return // they are not published
	}
	w.str("| row | column | trained | served |\n|:--|:--|--:|--:|\n")
	for _, d := range e.Differences[:min(len(e.Differences), w.form.items)] {
		w.cells(string(d.Row), string(d.Column), string(d.Trained), string(d.Served))
	}
}

func (w *writer) smoke() {
	s := w.r.Smoke
	if s == nil {
		return
	}
	_, passed, ran := s.Outcome()
	w.section(fmt.Sprintf("Smoke test: %d of %d checks against a %s", passed, ran, s.Target), passed < ran)
	if s.Why != "" {
		w.prose("Against a " + string(s.Target) + " because " + string(s.Why) + ".")
		w.str("\n\n")
	}
	w.str("| | check | found | took |\n|:-:|:--|:--|--:|\n")
	for _, c := range s.Checks[:min(len(s.Checks), w.form.items)] {
		w.str("| " + mark(c.Verdict) + " | ")
		w.code(string(c.Name))
		w.str(" | ")
		w.prose(string(c.Detail))
		w.str(" | ")
		if c.DurationMS != nil {
			w.str(report.Millis(*c.DurationMS))
		}
		w.str(" |\n")
	}
	if facts := s.Measures(); len(facts) > 0 {
		w.str("\n| measured | | at most |\n|:--|--:|--:|\n")
		for _, f := range facts {
			w.str("| " + f.Name + " | " + f.Value + " | " + f.Limit + " |\n")
		}
	}
}

func (w *writer) exams() {
	e := w.r.ExamChanged()
	if e == nil {
		return
	}
	w.section(fmt.Sprintf("The exam was changed in %s", places(len(e.Changes))), true)
	w.prose("Both exams judged this change; the worse verdict counts. Promotion waits until a human has acknowledged the new exam.")
	w.str("\n\n| exam | digest | verdict |\n|:--|:--|:--|\n")
	for _, x := range w.r.Exams {
		w.str("| " + string(x.Role) + " | `" + x.Digest.Short() + "` | " + mark(x.Verdict) + " " + string(x.Verdict) + " |\n")
	}
	w.str("\n| what | promoted | today |\n|:--|:--|:--|\n")
	shown := e.Changes[:min(len(e.Changes), w.form.items)]
	for _, c := range shown {
		w.cells(string(c.Path), string(c.Old), string(c.New))
	}
	w.more(len(e.Changes) - len(shown))
}

func places(n int) string {
	if n == 1 {
		return "one place"
	}
	return strconv.Itoa(n) + " places"
}

// cells writes a row of text from outside.
func (w *writer) cells(texts ...string) {
	w.str("|")
	for _, t := range texts {
		w.str(" ")
		w.code(t)
		w.str(" |")
	}
	w.str("\n")
}

// known leaves out changes of which one side is not known: what an older
// record does not hold is no difference.
func known(all []report.Change) []report.Change {
	var out []report.Change
	for _, c := range all {
		if c.Kind != "hardware" || c.Old != "" && c.New != "" {
			out = append(out, c)
		}
	}
	return out
}

func (w *writer) different() {
	d := w.r.WhyDifferent
	if d == nil || len(known(d.Changes)) == 0 && d.Flips == nil {
		return
	}
	w.section("Why it is different from production", false)
	changes := known(d.Changes)
	if len(changes) > 0 {
		w.str("| kind | what | production | candidate |\n|:--|:--|:--|:--|\n")
		shown := changes[:min(len(changes), w.form.items)]
		for _, c := range shown {
			w.str("| " + string(c.Kind) + " ")
			w.cells(string(c.Path), string(c.Old), string(c.New))
		}
		w.more(len(changes) - len(shown))
	}
	f := d.Flips
	if f == nil {
		return
	}
	w.str("\n" + f.Sentence() + "\n")
	if len(f.BySlice) > 0 {
		w.str("\n| slice | " + f.Word() + " | of |\n|:--|--:|--:|\n")
		for _, s := range f.BySlice[:min(len(f.BySlice), w.form.items)] {
			w.str("| ")
			w.code(string(s.Column))
			w.str(" = ")
			w.code(string(s.Level))
			w.str(" | " + report.Count(s.N) + " | " + report.Count(s.Of) + " |\n")
		}
	}
	if len(f.Rows) > 0 {
		w.str("\n| row | " + f.Truth() + " | production | candidate |\n|:--|:--|:--|:--|\n")
		for _, row := range f.Rows[:min(len(f.Rows), w.form.items, 20)] {
			w.cells(string(row.ID), string(row.Label), string(row.Baseline), string(row.Candidate))
		}
	}
	if f.Withheld {
		w.str("\nSingle rows are not published (`report.rows` in the config).\n")
	}
}

func (w *writer) leakage() {
	if len(w.r.Leakage) == 0 {
		return
	}
	w.section(fmt.Sprintf("Training and evaluation data share something (%d)", len(w.r.Leakage)), false)
	for _, f := range w.r.Leakage[:min(len(w.r.Leakage), w.form.items)] {
		w.str("- " + mark(f.Verdict) + " ")
		w.prose(string(f.Detail))
		w.printf(" (%s", report.Count(f.Count))
		if f.Of > 0 {
			w.str(" of " + report.Count(f.Of))
		}
		w.str(")")
		for i, x := range f.Examples[:min(len(f.Examples), 5)] {
			if i == 0 {
				w.str(":")
			}
			w.str(" ")
			w.code(string(x))
		}
		w.str("\n")
	}
}

func (w *writer) provenance() {
	w.section("Digests and provenance", false)
	w.str("| | |\n|:--|:--|\n")
	model := func(what string, m *report.Model) {
		if m == nil {
			return
		}
		w.str("| " + what + " bundle | `" + string(m.Bundle) + "` |\n")
		if m.Image != "" {
			w.str("| " + what + " image | `" + string(m.Image) + "` |\n")
		}
	}
	model("candidate", &w.r.Candidate)
	model("baseline", w.r.Baseline)
	model("anchor", w.r.Anchor)
	for _, d := range []struct {
		what string
		file *report.DataFile
	}{{"training data", w.r.Run.Data.Train}, {"evaluation data", w.r.Run.Data.Eval}} {
		if d.file != nil {
			w.str("| " + d.what + " | `" + string(d.file.Digest) + "`, " + report.Count(d.file.Rows) + " rows |\n")
		}
	}
	if w.r.Run.Commit != "" {
		w.str("| commit | ")
		w.commit(w.r.Run.Commit, string(w.r.Run.Commit))
		w.str(" |\n")
	}
	if w.r.Run.Config != "" {
		w.str("| config | ")
		w.code(string(w.r.Run.Config))
		w.str(" |\n")
	}
	w.str("| dosirak | ")
	name(&w.b, w.r.Run.Dosirak)
	w.str(" |\n")
	for _, f := range w.r.Provenance[:min(len(w.r.Provenance), w.form.items)] {
		w.str("| ")
		w.code(string(f.Name))
		w.str(" | ")
		w.code(string(f.Value))
		w.str(" |\n")
	}
}
