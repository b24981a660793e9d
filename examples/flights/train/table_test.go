package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, content string) *table {
	t.Helper()
	rows, err := readTable(write(t, []byte(content)))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestReadTable(t *testing.T) {
	t.Parallel()
	const content = "a,b\n1,\"x,y\"\n2,\n"
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write([]byte(content))
	z.Close()
	for name, raw := range map[string][]byte{"plain": []byte(content), "gzip": zipped.Bytes()} {
		got, err := readTable(write(t, raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.rows != 2 || !slices.Equal(got.columns["b"], []string{"x,y", ""}) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestReadTableErrors(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                     "no rows",
		"a,b\n":                "no rows",
		"a,b\n1,2\n3\n":        "line 3",
		"\x1f\x8bnot gzip, no": "gzip",
	} {
		if _, err := readTable(write(t, []byte(content))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", content, err, want)
		}
	}
	if _, err := readTable(filepath.Join(t.TempDir(), "none.csv")); err == nil {
		t.Error("a missing file is no error")
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	y, err := read(t, "delayed\n1\n0\n").labels("delayed")
	if err != nil || !slices.Equal(y, []float64{1, 0}) {
		t.Errorf("got %v, %v", y, err)
	}
	if _, err := read(t, "delayed\n1\nyes\n").labels("delayed"); err == nil || !strings.Contains(err.Error(), `row 2: delayed is "yes"`) {
		t.Errorf("got %v", err)
	}
	if _, err := read(t, "late\n1\n").labels("delayed"); err == nil || !strings.Contains(err.Error(), `no column "delayed"`) {
		t.Errorf("got %v", err)
	}
}
