package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/evidence"
)

// Difference is one thing that two runs do not share. A or B is empty where
// that run lacks it.
type Difference struct {
	Path string `json:"path"` // such as report.metrics[roc_auc].candidate
	A    string `json:"a"`
	B    string `json:"b"`
}

// Diff compares two runs by exact id: labels, steps, files by digest, and the
// reports value by value. Times and ids, which always differ, are left out.
func (s *Store) Diff(a, b string) ([]Difference, error) {
	left, err := s.Load(a)
	if err != nil {
		return nil, err
	}
	right, err := s.Load(b)
	if err != nil {
		return nil, err
	}
	return diff(flatten(left), flatten(right)), nil
}

func diff(left, right map[string]string) []Difference {
	paths := map[string]bool{}
	for path := range left {
		paths[path] = true
	}
	for path := range right {
		paths[path] = true
	}
	differences := []Difference{}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if left[path] != right[path] {
			differences = append(differences, Difference{Path: path, A: left[path], B: right[path]})
		}
	}
	return differences
}

func flatten(run Stored) map[string]string {
	flat := map[string]string{"command": run.Command, "status": string(run.Status)}
	if run.ExitCode != nil {
		flat["exit_code"] = strconv.Itoa(*run.ExitCode)
	}
	for name, value := range run.Labels {
		flat["labels."+name] = value
	}
	for _, step := range run.Steps {
		flat["steps."+step.Name+".key"] = step.Key
		flat["steps."+step.Name+".status"] = string(step.Status)
		for _, file := range step.Files {
			if file.Path != evidence.Report { // compared value by value instead
				flat["files."+file.Path] = file.Digest
			}
		}
	}
	if run.Report != nil {
		flattenValue("report", run.Report, flat)
	}
	return flat
}

// volatile are keys of a report that differ between any two runs.
var volatile = []string{"id", "started", "ended", "finished", "duration", "seconds", "dir"}

func flattenValue(path string, value any, into map[string]string) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if !slices.Contains(volatile, key) {
				flattenValue(path+"."+key, inner, into)
			}
		}
	case []any:
		for i, inner := range v {
			flattenValue(path+"["+elementName(inner, i)+"]", inner, into)
		}
	case nil:
		into[path] = "null"
	case string:
		into[path] = v
	default:
		text, err := json.Marshal(v)
		if err != nil {
			text = []byte(fmt.Sprint(v))
		}
		into[path] = string(text)
	}
}

// elementName names an element of a list by what it is about, so that a list
// that grew by one does not differ everywhere.
func elementName(value any, index int) string {
	if object, ok := value.(map[string]any); ok {
		var parts []string
		for _, key := range []string{"name", "against", "seed", "column", "level", "metric"} {
			switch part := object[key].(type) {
			case string:
				parts = append(parts, part)
			case float64:
				parts = append(parts, strconv.FormatFloat(part, 'g', -1, 64))
			}
		}
		if len(parts) > 0 {
			return strings.Join(parts, "/")
		}
	}
	return strconv.Itoa(index)
}
