package progress

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/report/terminal"
)

// observer is what package pipeline asks for; stated here again so that this
// package is tested without all of the line.
type observer interface {
	Plan(steps []string)
	Start(step, detail string)
	Update(step string, done, total int, detail string)
	Done(step, detail string, err error)
	Log(message string)
}

var _ observer = (*Printer)(nil)

var update = flag.Bool("update", false, "write the golden files anew")

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// screen keeps what was written, and plays it as a terminal would: enough of
// one for the sequences that this package writes.
type screen struct {
	mu     sync.Mutex
	raw    strings.Builder
	lines  []string
	row    int
	hidden bool
	writes int
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.raw.Write(b)
	text := string(b)
	for text != "" {
		known := map[string]func(){
			"\x1b[1A":  func() { s.row-- },
			clearLine:  func() { s.set("") },
			hideCursor: func() { s.hidden = true },
			showCursor: func() { s.hidden = false },
			"\r":       func() {},
			"\n":       func() { s.row++ },
			green:      func() {}, red: func() {}, cyan: func() {}, dim: func() {}, reset: func() {},
		}
		found := false
		for sequence, do := range known {
			if rest, ok := strings.CutPrefix(text, sequence); ok {
				do()
				text, found = rest, true
				break
			}
		}
		if found {
			continue
		}
		end := strings.IndexAny(text, "\x1b\r\n")
		if end < 0 {
			end = len(text)
		}
		if end == 0 {
			return 0, fmt.Errorf("a sequence that no one knows: %q", text[:min(len(text), 10)])
		}
		s.set(s.line() + text[:end])
		text = text[end:]
	}
	return len(b), nil
}

func (s *screen) line() string {
	if s.row < len(s.lines) {
		return s.lines[s.row]
	}
	return ""
}

func (s *screen) set(text string) {
	for len(s.lines) <= s.row {
		s.lines = append(s.lines, "")
	}
	s.lines[s.row] = text
}

func (s *screen) String() string {
	return strings.TrimRight(strings.Join(s.lines, "\n"), "\n") + "\n"
}

// play is a run of the line. look is called at moments of interest.
func play(p *Printer, c *clock, look func(moment string)) {
	p.Plan([]string{"train", "prove", "seal", "evaluate", "image", "smoke"})
	p.Start("train", "")
	p.Update("train", 0, 3, "setup started")
	c.add(400 * time.Millisecond)
	p.Update("train", 0, 3, "setup done")
	for i := 1; i <= 3; i++ {
		p.Update("train", 0, 3, fmt.Sprintf("seed %d started", i))
	}
	c.add(1200 * time.Millisecond)
	p.Update("train", 0, 3, "seed 1 progress: step 10, loss 0.6931")
	p.Update("train", 0, 3, "seed 2 progress: ::error::forged \x1b[31m##[error]forged \u202Etxt 한국어 "+strings.Repeat("long ", 40))
	p.Tick()
	look("training")
	c.add(900 * time.Millisecond)
	p.Update("train", 0, 3, "seed 1 done")
	p.Update("train", 0, 3, "seed 3 reused")
	p.Log("::warning::the trainer wrote 3 MB of output\nonly its end is kept")
	c.add(12 * time.Second)
	p.Update("train", 0, 3, "seed 2 progress: step 900, loss 0.5127")
	p.Tick()
	look("one is slow")
	p.Update("train", 0, 3, "seed 2 done")
	c.add(10 * time.Millisecond)
	p.Done("train", "", nil)
	p.Start("prove", "")
	p.Update("prove", 0, 3, "seed 1 again started")
	c.add(2 * time.Second)
	p.Update("prove", 0, 3, "seed 1 again done")
	p.Done("prove", "the same bytes", nil)
	p.Start("evaluate", "")
	for i := range 20 {
		c.add(time.Second)
		p.Update("evaluate", i*500, 10_000, "rows")
	}
	look("evaluating")
	p.Done("evaluate", "10,000 rows", nil)
	p.Start("image", "100% of it\nin one go")
	c.add(40 * time.Millisecond)
	p.Done("image", "", errors.New("building the image: no space left on device\nfree some space and run again"))
	p.Start("smoke", "")
	c.add(300 * time.Millisecond)
	p.Close()
	p.Close()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"log":            {Kind: Log},
		"github":         {Kind: GitHub},
		"terminal":       {Kind: Terminal},
		"terminal-40":    {Kind: Terminal, Width: func() int { return 40 }},
		"terminal-color": {Kind: Terminal, Color: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &clock{now: time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)}
			s := &screen{}
			o.Out, o.Now = s, c.Now
			p := New(o)
			var b strings.Builder
			play(p, c, func(moment string) {
				if o.Kind == Terminal {
					assert.True(t, s.hidden, "the cursor is hidden while the table stands")
					fmt.Fprintf(&b, "--- %s ---\n%s", moment, s)
				}
			})
			fmt.Fprintf(&b, "--- the end ---\n%s", s)
			assert.False(t, s.hidden, "the cursor is given back")
			path := filepath.Join("testdata", name+".txt")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err, "run go test with -update once")
			assert.Equal(t, string(want), b.String())
			if o.Kind == Terminal {
				width := 80
				if o.Width != nil {
					width = o.Width()
				}
				for _, line := range s.lines {
					if !strings.Contains(line, "trainer wrote") && !strings.Contains(line, "its end") {
						assert.Less(t, terminal.Cells(line), width, "a line that wraps would break the table: %q", line)
					}
				}
			}
		})
	}
}

// TestOnlyOurOwnCommands: on GitHub nothing from outside is read as a command.
func TestOnlyOurOwnCommands(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{Log, GitHub} {
		c, s := &clock{}, &screen{}
		play(New(Options{Out: s, Kind: kind, Now: c.Now}), c, func(string) {})
		for _, line := range strings.Split(s.raw.String(), "\n") {
			trimmed := strings.TrimSpace(line)
			own := kind == GitHub && (strings.HasPrefix(trimmed, "::group::") || trimmed == "::endgroup::")
			assert.True(t, own || !strings.HasPrefix(trimmed, "::"), line)
			assert.NotContains(t, line, "##[")
			assert.NotContains(t, line, "\x1b")
			assert.NotContains(t, line, "\u202E")
		}
		if kind == GitHub {
			assert.Equal(t, strings.Count(s.raw.String(), "::group::"), strings.Count(s.raw.String(), "::endgroup::"))
			assert.Contains(t, s.raw.String(), "::group::image (5 of 6): 100%25 of it in one go\n")
		}
	}
}

// TestTenFramesASecond: a flood of updates costs no flood of writes.
func TestTenFramesASecond(t *testing.T) {
	t.Parallel()
	c, s := &clock{now: time.Unix(1, 0)}, &screen{}
	p := New(Options{Out: s, Kind: Terminal, Now: c.Now})
	p.Start("evaluate", "")
	before := s.writes
	for i := range 10_000 {
		c.add(100 * time.Microsecond)
		p.Update("evaluate", i, 10_000, "")
		p.Tick()
	}
	assert.LessOrEqual(t, s.writes-before, 10)
	p.Close()
}

func TestManyGoroutines(t *testing.T) {
	t.Parallel()
	c, s := &clock{now: time.Unix(1, 0)}, &screen{}
	p := New(Options{Out: s, Kind: Terminal, Now: c.Now})
	p.animate()
	p.Start("train", "")
	var all sync.WaitGroup
	for seed := range 30 {
		all.Go(func() {
			p.Update("train", 0, 30, fmt.Sprintf("seed %d started", seed))
			c.add(time.Millisecond)
			p.Update("train", 0, 30, fmt.Sprintf("seed %d done", seed))
			p.Log("hello")
		})
	}
	all.Wait()
	p.Done("train", "", nil)
	p.Close()
	assert.Contains(t, s.String(), "30 of 30 seeds")
	assert.Equal(t, 30, strings.Count(s.String(), "hello\n"))
	assert.NotContains(t, s.String(), "seed 3", "the seeds' lines are gone when the step has ended")
}

func TestOpenChoosesTheKind(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "err"))
	require.NoError(t, err)
	defer file.Close()
	env := func(m map[string]string) func(string) string { return func(k string) string { return m[k] } }
	assert.Equal(t, Log, Open(file, env(nil)).o.Kind)
	assert.Equal(t, GitHub, Open(file, env(map[string]string{"GITHUB_ACTIONS": "true"})).o.Kind)
}

func TestWithoutAStart(t *testing.T) {
	t.Parallel()
	c, s := &clock{}, &screen{}
	p := New(Options{Out: s, Kind: Log, Now: c.Now})
	p.Update("train", 1, 2, "never started")
	p.Done("train", "", nil)
	p.Close()
	assert.Equal(t, "train      done in 0 ms\n", s.raw.String())
}

func TestTimeLeft(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	seed := func(label, state string, took, ago time.Duration) *part {
		return &part{label: label, state: state, took: took, began: now.Add(-ago)}
	}
	for _, tt := range []struct {
		name string
		s    step
		want time.Duration // 0: it is not known
	}{
		{"no seed is done", step{total: 3, parts: []*part{seed("seed 1", "started", 0, time.Minute)}}, 0},
		{"two at once, two to come", step{total: 5, parts: []*part{
			seed("seed 1", "done", time.Minute, 0), seed("seed 2", "started", 0, 30*time.Second), seed("seed 3", "started", 0, 30*time.Second),
		}}, 90 * time.Second},
		{"reused ones tell nothing of the time", step{total: 3, parts: []*part{seed("seed 1", "reused", 0, 0), seed("seed 2", "started", 0, 0)}}, 0},
		{"the proof is no seed", step{total: 2, parts: []*part{
			seed("seed 1", "done", time.Minute, 0), seed("seed 1 again", "done", time.Hour, 0), seed("seed 2", "started", 0, 15*time.Second),
		}}, 45 * time.Second},
		{"rows", step{total: 100, done: 25, began: now.Add(-10 * time.Second)}, 30 * time.Second},
		{"all rows", step{total: 100, done: 100, began: now.Add(-10 * time.Second)}, 0},
	} {
		got, ok := tt.s.left(now)
		assert.Equal(t, tt.want, got, tt.name)
		assert.Equal(t, tt.want > 0, ok, tt.name)
	}
	for d, want := range map[time.Duration]string{
		0: "about 5 s left", 12 * time.Second: "about 15 s left", 56 * time.Second: "about 1 min left", 61 * time.Second: "about 2 min left", 100 * time.Minute: "about 2 h left", 130 * time.Minute: "about 2.5 h left",
	} {
		assert.Equal(t, want, about(d), d)
	}
}
