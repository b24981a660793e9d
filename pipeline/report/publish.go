package report

// Rows says what is told of single evaluation rows.
type Rows string

const (
	ShowRows Rows = "show" // ids, labels and predictions
	ShowIDs  Rows = "ids"
	HideRows Rows = "hide"
)

// Publish takes out of a report what it says of single evaluation rows, as far
// as others shall not read it: a comment is read by whoever wrote the change,
// and evaluation data may be withheld from them. Counts and figures stay.
func (r *Report) Publish(rows Rows) {
	if rows == ShowRows {
		return
	}
	if d := r.WhyDifferent; d != nil && d.Flips != nil {
		published := d.Flips.Rows[:0:0]
		if rows == ShowIDs {
			for _, row := range d.Flips.Rows {
				published = append(published, Flip{ID: row.ID})
			}
		}
		flips := *d.Flips
		flips.Rows, flips.Withheld = published, true
		flips.Complete = flips.Complete && rows == ShowIDs
		different := *d
		different.Flips = &flips
		r.WhyDifferent = &different
	}
	if e := r.Export; e != nil && len(e.Differences) > 0 {
		export := *e
		export.Differences = export.Differences[:0:0]
		if rows == ShowIDs {
			for _, d := range e.Differences {
				export.Differences = append(export.Differences, ExportDifference{Row: d.Row, Column: d.Column})
			}
		}
		r.Export = &export
	}
	if rows == HideRows {
		for i := range r.Leakage {
			r.Leakage[i].Examples = nil
		}
	}
}
