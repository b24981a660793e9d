package report

import "fmt"

// SeedsAlike says that the seed changes nothing, "" where it does, or where that
// is not known. Equal replicates are no stability: they are one training, and
// their spread of 0 says nothing about another one.
func (r *Report) SeedsAlike() string {
	n := len(r.Replicates)
	if n < 2 {
		return ""
	}
	same := func(of func(Replicate) Digest) bool {
		for _, rep := range r.Replicates {
			if of(rep) == "" || of(rep) != of(r.Replicates[0]) {
				return false
			}
		}
		return true
	}
	enough := fmt.Sprintf("seeds: [%d] is enough, or give {seed} to the trainer; a spread of 0 is no sign of stability", r.Replicates[0].Seed)
	switch {
	case same(func(rep Replicate) Digest { return rep.Model }):
		return fmt.Sprintf("The seed changes nothing: all %d replicates are the same model. %s.", n, enough)
	case same(func(rep Replicate) Digest { return rep.Predictions }):
		return fmt.Sprintf("The seed changes nothing that these rows show: the models of all %d replicates give the same answers, though not all have the same bytes. %s.", n, enough)
	}
	return ""
}
