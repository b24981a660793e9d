// Package variants_test keeps the variants honest: each is ../dosirak.yaml
// but for its first comment and the one line that it is about.
package variants_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAVariantChangesOneLine(t *testing.T) {
	t.Parallel()
	original := settings(t, "../dosirak.yaml")
	changed := map[string]string{ // variant: the key of the line that it changes
		"first.yaml":              "command:",
		"weather.yaml":            "command:",
		"weather-calibrated.yaml": "command:",
		"few-rows.yaml":           "eval:",
		"unseeded.yaml":           "command:",
	}
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) != len(changed) {
		t.Fatalf("found %v (%v), the test knows %d variants", files, err, len(changed))
	}
	for _, file := range files {
		got := settings(t, file)
		if len(got) != len(original) {
			t.Errorf("%s has %d lines of settings, dosirak.yaml %d", file, len(got), len(original))
			continue
		}
		var keys []string
		for i := range got {
			if got[i] != original[i] {
				keys = append(keys, strings.Fields(got[i])[0])
			}
		}
		if len(keys) != 1 || keys[0] != changed[file] {
			t.Errorf("%s changes %v, want only %s", file, keys, changed[file])
		}
	}
}

// settings returns the lines of a config that are not comments.
func settings(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(content)) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			lines = append(lines, line)
		}
	}
	return lines
}
