package main

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	columns := []column{{name: "distance", kind: number}, {name: "hour", kind: integer}, {name: "origin"}}
	e, err := fitEncoder(read(t, "origin,hour,distance\nJFK,10,100\nEWR,5,300\n,5,\n"), columns)
	if err != nil {
		t.Fatal(err)
	}
	if e.width() != 5 || columns[0].scale != 0 {
		t.Errorf("width %d, want 5; the shared columns changed to %v", e.width(), columns)
	}
	// Hours are in order of value, 5 before 10; distance has mean 200 and
	// deviation 100. Unknown levels and empty cells are zeros.
	got, err := e.encode(read(t, "distance,origin,hour\n300,JFK,5\n,LGA,7\n150,,10\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]float64{ // hour 5, hour 10, EWR, JFK, distance
		{1, 0, 0, 1, 1},
		{0, 0, 0, 0, 0},
		{0, 1, 0, 0, -0.5},
	}
	for i := range want {
		for j := range want[i] {
			if math.Abs(got[i][j]-want[i][j]) > 1e-6 {
				t.Errorf("row %d: got %v, want %v", i+1, got[i], want[i])
				break
			}
		}
	}
}

func TestEncoderErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		content string
		column  column
		want    string
	}{
		{"a\n1\n", column{name: "b"}, `no column "b"`},
		{"a\nx\n", column{name: "a", kind: integer}, `"x" is not a whole number`},
		{"a\n05\n", column{name: "a", kind: integer}, `"05" is not a whole number`},
		{"a\n1\nfar\n", column{name: "a", kind: number}, `row 2: column a: "far" is not a number`},
		{"a\nInf\n", column{name: "a", kind: number}, `"Inf" is not a number`},
		{"a,b\n,1\n", column{name: "a", kind: number}, "every cell is empty"},
	}
	for _, test := range tests {
		if _, err := fitEncoder(read(t, test.content), []column{test.column}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %v, want %q", test.content, err, test.want)
		}
	}
}

func TestStandardiseAConstant(t *testing.T) {
	t.Parallel()
	mean, scale, err := standardise([]float64{3, math.NaN(), 3})
	if mean != 3 || scale != 1 || err != nil {
		t.Errorf("got %g, %g, %v", mean, scale, err)
	}
}

// Every feature is known before departure, and weather extends base.
func TestFeatureSets(t *testing.T) {
	t.Parallel()
	known := []string{"dep_hour", "arr_hour", "carrier", "origin", "dest", "distance",
		"temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"}
	for name, columns := range featureSets {
		for _, c := range columns {
			if !slices.Contains(known, c.name) {
				t.Errorf("%s learns from %s", name, c.name)
			}
		}
	}
	for i, c := range base {
		if weather[i].name != c.name {
			t.Errorf("weather has %s where base has %s", weather[i].name, c.name)
		}
	}
}
