package config

import (
	"fmt"
	"maps"
	"slices"
)

// FakeCatalogue is a Catalogue for tests: the facts by name.
type FakeCatalogue map[string]MetricFacts

var _ Catalogue = FakeCatalogue(nil)

// Metric returns the facts of name.
func (f FakeCatalogue) Metric(name string) (MetricFacts, error) {
	if facts, ok := f[name]; ok {
		return facts, nil
	}
	return MetricFacts{}, fmt.Errorf("metric %q is unknown", name)
}

// Names returns the names, sorted.
func (f FakeCatalogue) Names() []string { return slices.Sorted(maps.Keys(f)) }
