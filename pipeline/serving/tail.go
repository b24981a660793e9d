package serving

import (
	"bytes"
	"sync"
)

// logBound is how much of a server's output is kept, from its end.
const logBound = 8 << 10

// tailWriter keeps the end of what is written.
type tailWriter struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tailWriter) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if len(t.kept) > 2*logBound {
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-logBound:]...)
	}
	return len(p), nil
}

func (t *tailWriter) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.kept[max(0, len(t.kept)-logBound):]))
}
