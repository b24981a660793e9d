package report

// Reports of earlier versions are kept in Git as evidence, and are read for as
// long as they are there. What they hold that reports have no longer is named
// here: it is read, and never written again.

// Retired is an object that earlier versions wrote.
type Retired map[string]any

// UnmarshalJSON leaves the object aside.
func (*Retired) UnmarshalJSON([]byte) error { return nil }

// RetiredList is a list of objects that earlier versions wrote.
type RetiredList []map[string]*any

// UnmarshalJSON leaves the list aside.
func (*RetiredList) UnmarshalJSON([]byte) error { return nil }

// rename moves what stands under an earlier name to its present one.
func (r *Report) rename() {
	if r.WhyDifferent == nil || r.WhyDifferent.Flips == nil {
		return
	}
	f := r.WhyDifferent.Flips
	f.Fixed, f.Mended = f.Fixed+f.Mended, 0
	f.Regressed, f.Broken = f.Regressed+f.Broken, 0
}
