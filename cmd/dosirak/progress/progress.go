package progress

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/dosirak-ml/dosirak/pipeline/report"
)

// Kind is where the progress is shown.
type Kind int

const (
	Log      Kind = iota // plain lines
	Terminal             // a table, drawn anew in place
	GitHub               // lines in folded groups
)

// Options hold what a Printer needs of the world.
type Options struct {
	Out   io.Writer
	Kind  Kind
	Width func() int // columns of the terminal; nil: 80
	Color bool
	Now   func() time.Time
}

const (
	redrawEvery = 100 * time.Millisecond // ten a second
	lineEvery   = 10 * time.Second       // between two lines of one step in a log
	maxParts    = 12                     // lines of a step's parts on a terminal
)

// Printer shows progress. Its methods may be called from several goroutines.
type Printer struct {
	o Options

	mu     sync.Mutex
	plan   []string // steps that are to come, in their order
	total  int      // steps of the plan
	steps  []*step  // running, in the order in which they began
	drawn  int      // lines of the table on the screen
	last   time.Time
	hidden bool // the cursor
	frame  int
	group  string // open on GitHub
	closed bool
	stop   func()
}

type step struct {
	name, detail string
	place        string // "1 of 8", in the plan
	began        time.Time
	done, total  int
	parts        []*part
	said         time.Time // last line in a log
}

// part is a seed, or another part of a step such as the setup.
type part struct {
	label, text string
	began       time.Time
	took        time.Duration
	state       string // started, progress, done, reused, failed
}

func (x *part) ended() bool { return x.state == "done" || x.state == "reused" || x.state == "failed" }

// New returns a Printer. Close ends it.
func New(o Options) *Printer {
	if o.Width == nil {
		o.Width = func() int { return 80 }
	}
	return &Printer{o: o, stop: func() {}}
}

// Open returns a Printer for file, standard error as a rule: a live table when
// it is a terminal, groups when GITHUB_ACTIONS is true, else plain lines. It
// moves by itself until Close.
func Open(file *os.File, getenv func(string) string) *Printer {
	o := Options{Out: file, Now: time.Now}
	switch {
	case getenv("GITHUB_ACTIONS") == "true":
		o.Kind = GitHub
	case term.IsTerminal(int(file.Fd())) && getenv("TERM") != "dumb":
		o.Kind = Terminal
		o.Color = getenv("NO_COLOR") == ""
		o.Width = func() int {
			if w, _, err := term.GetSize(int(file.Fd())); err == nil && w > 0 {
				return w
			}
			return 80
		}
	}
	p := New(o)
	if o.Kind == Terminal {
		p.animate()
	}
	return p
}

// Restore gives the cursor of a terminal back, for a process that ends without
// Close. It waits for no Printer.
func Restore(file *os.File) {
	if term.IsTerminal(int(file.Fd())) {
		_, _ = file.WriteString(showCursor + "\n")
	}
}

// animate ticks until stop.
func (p *Printer) animate() {
	ticker, quit, ended := time.NewTicker(redrawEvery), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ticker.C:
				p.Tick()
			case <-quit:
				return
			}
		}
	}()
	p.stop = func() {
		ticker.Stop()
		close(quit)
		<-ended
	}
}

// Plan tells the steps that are to come, in their order.
func (p *Printer) Plan(steps []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.total = slices.Clone(steps), len(steps)
}

// place says which of the planned steps a step is: "1 of 8". What comes before
// it in the plan is over, or was left out.
func (p *Printer) place(name string) string {
	i := slices.Index(p.plan, name)
	if i < 0 {
		return ""
	}
	p.plan = p.plan[i+1:]
	return fmt.Sprintf("%d of %d", p.total-len(p.plan), p.total)
}

// Start begins a step.
func (p *Printer) Start(name, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Now()
	p.steps = append(p.steps, &step{name: clean(name), detail: clean(detail), place: p.place(clean(name)), began: now, said: now})
	p.started(p.steps[len(p.steps)-1])
}

// partDetail is a detail that belongs to a part of the step, with its state.
var partDetail = regexp.MustCompile(`^(seed -?[0-9]+(?: again)?|[a-z]+) (started|progress|reused|done|failed)(?:: (.*))?$`)

// Update says how far a step is: done of total (0: unknown), with a detail. A
// detail such as "seed 3 progress: loss 0.51" or "setup done" belongs to that
// seed or part: started, progress, reused, done or failed.
func (p *Printer) Update(name string, done, total int, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.find(clean(name))
	if s == nil {
		return
	}
	detail = clean(detail)
	s.done, s.total = done, max(s.total, total)
	m := partDetail.FindStringSubmatch(detail)
	if m == nil {
		if detail != "" {
			s.detail = detail
		}
		p.updated(s, nil, false)
		return
	}
	x := s.part(m[1], p.o.Now())
	before := x.state
	x.state, x.text, s.detail = m[2], m[3], ""
	if x.state == "done" || x.state == "failed" {
		x.took = p.o.Now().Sub(x.began)
	}
	p.updated(s, x, before != x.state && x.state != "progress")
}

func (s *step) part(label string, now time.Time) *part {
	for _, x := range s.parts {
		if x.label == label {
			return x
		}
	}
	x := &part{label: label, began: now}
	s.parts = append(s.parts, x)
	return x
}

// count returns how much of a step is done, as text. A seed that is trained
// again, for the proof, is none of the seeds.
func (s *step) count() string {
	seeds, ended := 0, 0
	for _, x := range s.parts {
		if strings.HasPrefix(x.label, "seed ") && !strings.HasSuffix(x.label, " again") {
			seeds++
			if x.ended() {
				ended++
			}
		}
	}
	if s.total == 0 || seeds == 0 && s.done == 0 && len(s.parts) > 0 {
		return ""
	}
	done, unit := s.done, ""
	if seeds > 0 {
		done, unit = max(done, ended), " seeds"
	}
	return report.Count(int64(min(done, s.total))) + " of " + report.Count(int64(s.total)) + unit
}

// left estimates how long a step will take from now on: by the seeds that are
// done, as many at a time as run now, or by what is done of the whole. ok is
// false where too little is known.
func (s *step) left(now time.Time) (d time.Duration, ok bool) {
	var spent time.Duration
	var timed, ended int
	var running []time.Duration
	for _, x := range s.parts {
		switch {
		case !strings.HasPrefix(x.label, "seed ") || strings.HasSuffix(x.label, " again"):
		case x.state == "done":
			spent, timed, ended = spent+x.took, timed+1, ended+1
		case x.ended():
			ended++
		default:
			running = append(running, now.Sub(x.began))
		}
	}
	switch {
	case timed > 0 && s.total > ended:
		each := spent / time.Duration(timed)
		waiting := s.total - ended - len(running)
		d = each * time.Duration(max(waiting, 0))
		for _, ran := range running {
			d += max(each-ran, 0)
		}
		return d / time.Duration(max(len(running), 1)), true
	case len(s.parts) == 0 && s.done > 0 && s.total > s.done && now.Sub(s.began) > time.Second:
		return now.Sub(s.began) / time.Duration(s.done) * time.Duration(s.total-s.done), true
	}
	return 0, false
}

// about is an estimate in words: to 5 seconds, to a minute, or to half an hour.
func about(d time.Duration) string {
	up := func(unit time.Duration) int { return int((d + unit - 1) / unit) }
	switch {
	case d <= 55*time.Second:
		return fmt.Sprintf("about %d s left", max(5*up(5*time.Second), 5))
	case d <= 90*time.Minute:
		return fmt.Sprintf("about %d min left", up(time.Minute))
	}
	return fmt.Sprintf("about %g h left", float64(up(30*time.Minute))/2)
}

// progress is count with the detail, and the time that is left as far as it is
// known.
func (s *step) progress(now time.Time) string {
	text := strings.TrimSpace(s.count() + " " + s.detail)
	if d, ok := s.left(now); ok {
		text += ", " + about(d)
	}
	return text
}

// Done ends a step. The whole of err is the command's to print; here its first
// line stands.
func (p *Printer) Done(name, detail string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.find(clean(name))
	if s == nil {
		s = &step{name: clean(name), began: p.o.Now()}
	}
	for i := range p.steps {
		if p.steps[i] == s {
			p.steps = append(p.steps[:i], p.steps[i+1:]...)
			break
		}
	}
	text := clean(detail)
	if text == "" {
		text = s.count()
	}
	if err != nil {
		text, _, _ = strings.Cut(err.Error(), "\n")
		text = clean(text)
	}
	p.ended(s, text, err != nil)
}

// Log writes a message, a line for each of its own.
func (p *Printer) Log(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lines []string
	for line := range strings.Lines(message) {
		lines = append(lines, inert(string(report.NewProse(line))))
	}
	p.above(lines...)
}

// Tick draws the table anew where something moved. Only a terminal needs it.
func (p *Printer) Tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.o.Kind == Terminal && !p.closed {
		p.frame++
		p.draw(false)
	}
}

// Close takes the table away, closes an open group and gives the cursor back.
// Steps that still run are named: the run was interrupted. More calls do
// nothing.
func (p *Printer) Close() {
	p.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	for _, s := range p.steps {
		p.ended(s, "did not end", true)
	}
	p.steps = nil
	p.finish()
	p.closed = true
	p.stop = func() {}
}

func (p *Printer) find(name string) *step {
	for i := len(p.steps) - 1; i >= 0; i-- {
		if p.steps[i].name == name {
			return p.steps[i]
		}
	}
	return nil
}

// clean makes one line of what came from outside: a trainer's output, a path.
func clean(s string) string { return string(report.NewText(s)) }

// inert keeps a line from being read as a workflow command.
func inert(s string) string {
	if strings.HasPrefix(s, "::") {
		s = ": " + s[1:]
	}
	return strings.ReplaceAll(s, "##[", "#[")
}
