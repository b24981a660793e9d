package doctor

import (
	"context"
	"errors"
	"slices"
)

// checkLabels looks for the labels that the promotion uses.
func checkLabels(ctx context.Context, s Subject) []Finding {
	present, err := s.GitHub.Labels(ctx)
	if errors.Is(err, ErrMayNotLook) {
		return nil
	}
	if err != nil {
		return asked("", err)
	}
	var missing []string
	for _, label := range s.Config.Labels {
		if !slices.Contains(present, label) {
			missing = append(missing, label)
		}
	}
	if len(missing) > 0 {
		return []Finding{warn("", "create them under Issues, Labels", "there is no label %s: nobody can give it to a pull request, such as to propose a declined model again", quotedList(missing))}
	}
	return ok("%d labels are there", len(s.Config.Labels))
}
