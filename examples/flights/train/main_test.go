package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// flights returns the path of a small table with every column that any
// feature set wants.
func flights(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("dep_hour,arr_hour,carrier,origin,distance,temp,dewp,humid,wind_speed,wind_gust,precip,pressure,visib,delayed\n")
	for i := range 400 {
		late := 0
		if i%5 == 0 || i%7 == 3 {
			late = 1
		}
		fmt.Fprintf(&b, "%d,%d,%s,%s,%d,%d,30,55,%d,,0,1013,10,%d\n", 5+i%18, (8+i%18)%24,
			[]string{"UA", "AA", "B6"}[i%3], []string{"EWR", "JFK"}[i%2], 200+i%11*100, 20+i%60, i%9, late)
	}
	return write(t, []byte(strings.Replace(b.String(), ",,0,1013", ",21,0,1013", 1)))
}

func trained(t *testing.T, args ...string) map[string]string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	if err := run(append(args, "--out", out)); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(out, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[f.Name()] = string(content)
	}
	return got
}

func TestRun(t *testing.T) {
	t.Parallel()
	data := flights(t)
	for _, features := range []string{"first", "base", "weather"} {
		args := []string{"--data", data, "--features", features, "--seed", "3", "--epochs", "4"}
		a, b := trained(t, args...), trained(t, args...)
		if len(a) != 4 {
			t.Errorf("%s: wrote %d files, want 4", features, len(a))
		}
		for name := range a {
			if a[name] != b[name] {
				t.Errorf("%s: %s differs between two runs with one seed", features, name)
			}
		}
		if n := strings.Count(a["history.jsonl"], "\n"); n != 4 {
			t.Errorf("%s: %d lines of history, want 4", features, n)
		}
		if c := trained(t, append(args, "--seed", "4")...); c["model.onnx"] == a["model.onnx"] {
			t.Errorf("%s: another seed gave the same model", features)
		}
		if c := trained(t, append(args, "--unseeded")...); c["model.onnx"] == a["model.onnx"] {
			t.Errorf("%s: an unseeded shuffle gave the same model", features)
		}
	}
}

func TestBalanceAndCalibrateChangeTheModel(t *testing.T) {
	t.Parallel()
	data := flights(t)
	plain := trained(t, "--data", data)["model.onnx"]
	heavy := trained(t, "--data", data, "--balance")["model.onnx"]
	mended := trained(t, "--data", data, "--balance", "--calibrate")["model.onnx"]
	if plain == heavy || heavy == mended || len(plain) != len(mended) {
		t.Errorf("sizes %d, %d, %d", len(plain), len(heavy), len(mended))
	}
}

func TestRunErrors(t *testing.T) {
	t.Parallel()
	data := flights(t)
	oneRow := write(t, bytes.Repeat([]byte("delayed\n"), 1))
	tests := []struct {
		args []string
		want string
	}{
		{[]string{}, "--out is missing"},
		{[]string{"--out", "x", "more"}, `unexpected argument "more"`},
		{[]string{"--out", "x", "--features", "moon"}, "want first, base or weather"},
		{[]string{"--out", "x", "--batch", "0"}, "at least 1"},
		{[]string{"--out", "x", "--rate", "NaN"}, "finite"},
		{[]string{"--out", "x", "--data", "none.csv"}, "none.csv"},
		{[]string{"--out", "x", "--data", oneRow}, "no rows"},
		{[]string{"--out", filepath.Join(t.TempDir(), "x"), "--data", data, "--rate", "1e200"}, "diverged"},
	}
	for _, test := range tests {
		if err := run(test.args); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: error %v, want %q", test.args, err, test.want)
		}
	}
}
