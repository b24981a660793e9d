package main

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// The first two are the examples of https://protobuf.dev/programming-guides/encoding/
func TestMessage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		write func(*message)
		want  string
	}{
		{"integer", func(m *message) { m.integer(1, 150) }, "089601"},
		{"text", func(m *message) { m.bytes(2, []byte("testing")) }, "120774657374696e67"},
		{"negative integer", func(m *message) { m.integer(1, -1) }, "08ffffffffffffffffff01"},
		{"large field number", func(m *message) { m.integer(20, 1) }, "a00101"},
		{"float", func(m *message) { m.float(2, 1) }, "150000803f"},
		{"packed integers", func(m *message) { m.integers(8, []int64{3, 270, 86942}) }, "4206038e029ea705"},
		{"packed floats", func(m *message) { m.floats(7, []float32{1, -2}) }, "3a080000803f000000c0"},
		{"nothing packed", func(m *message) { m.floats(7, nil) }, "3a00"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var m message
			test.write(&m)
			want, err := hex.DecodeString(test.want)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(m, want) {
				t.Errorf("got %x, want %s", []byte(m), test.want)
			}
		})
	}
}
