package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/dosirak-ml/dosirak/pipeline/spelling"
)

// Scalar is a text that may be written as YAML's number or boolean: it is the
// text as it stands there, 1.0 or true.
type Scalar string

// UnmarshalText takes the text as it is written.
func (s *Scalar) UnmarshalText(b []byte) error {
	*s = Scalar(b)
	return nil
}

// Duration is a span of time such as 30m, 20ms or 1h30m; more than nothing, at
// most 30 days.
type Duration time.Duration

const maxDuration = 30 * 24 * time.Hour

// Std returns the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Millis returns the duration in milliseconds.
func (d Duration) Millis() float64 { return float64(d) / float64(time.Millisecond) }

// String returns the duration as UnmarshalText reads it, without units that
// are zero.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// MarshalText writes the form that UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads Go's form of a duration.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%s is no duration such as 30m, 20ms or 1h30m", quote(string(b)))
	}
	if v <= 0 || v > maxDuration {
		return fmt.Errorf("%s is out of range; a duration is more than 0 and at most 720h", quote(string(b)))
	}
	*d = Duration(v)
	return nil
}

// Rate is a number of requests in a second, written 200/s, 600/m or 10000/h.
type Rate float64

var ratePattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)/(s|m|h)$`)

var rateUnits = map[string]float64{"s": 1, "m": 60, "h": 3600}

// String returns the rate per second.
func (r Rate) String() string { return strconv.FormatFloat(float64(r), 'f', -1, 64) + "/s" }

// MarshalText writes the form that UnmarshalText reads.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads 200/s.
func (r *Rate) UnmarshalText(b []byte) error {
	m := ratePattern.FindStringSubmatch(string(b))
	if m == nil {
		return fmt.Errorf("%s is no rate such as 200/s, 600/m or 10000/h", quote(string(b)))
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if v /= rateUnits[m[2]]; err != nil || v <= 0 || v > 1e6 {
		return fmt.Errorf("%s is out of range; a rate is more than 0 and at most 1000000/s", quote(string(b)))
	}
	*r = Rate(v)
	return nil
}

// Size is a number of bytes, written 50MB (10^6) or 256MiB (2^20).
type Size int64

var sizePattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$`)

var sizeUnits = map[string]float64{
	"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}

// String returns the size in the largest unit that needs no fraction.
func (s Size) String() string {
	for _, unit := range []string{"TB", "TiB", "GB", "GiB", "MB", "MiB", "kB", "KiB"} {
		if n := int64(sizeUnits[unit]); s != 0 && int64(s)%n == 0 {
			return strconv.FormatInt(int64(s)/n, 10) + unit
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// MarshalText writes the form that UnmarshalText reads.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads 50MB.
func (s *Size) UnmarshalText(b []byte) error {
	m := sizePattern.FindStringSubmatch(string(b))
	if m == nil {
		return fmt.Errorf("%s is no size such as 50MB or 256MiB", quote(string(b)))
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if v = math.Round(v * sizeUnits[m[2]]); err != nil || v < 1 || v > 1<<50 {
		return fmt.Errorf("%s is out of range; a size is at least 1B and at most 1024TiB", quote(string(b)))
	}
	*s = Size(v)
	return nil
}

// Reproduce says how equal two trainings with the same seed must be.
type Reproduce struct {
	Mode      ReproduceMode
	Tolerance float64 // of predictions, absolute; of mode tolerance
}

// ReproduceMode is the kind of equality.
type ReproduceMode string

const (
	ReproduceBitwise     ReproduceMode = "bitwise"     // the same sealed model
	ReproducePredictions ReproduceMode = "predictions" // the same predictions
	ReproduceTolerance   ReproduceMode = "tolerance"   // predictions within Tolerance
	ReproduceOff         ReproduceMode = "off"         // not checked
)

var reproduceWords = []string{string(ReproduceBitwise), string(ReproducePredictions), string(ReproduceOff)}

// String returns the form that the exam holds and train.ParseReproduce reads:
// the mode, and for a tolerance "tolerance 1e-06".
func (r Reproduce) String() string {
	if r.Mode == ReproduceTolerance {
		return string(r.Mode) + " " + strconv.FormatFloat(r.Tolerance, 'g', -1, 64)
	}
	return string(r.Mode)
}

func (r *Reproduce) decodeNode(d *decoder, n ast.Node, path string) {
	const want = "bitwise, predictions, off or {tolerance: 1e-6}"
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		var form struct {
			Tolerance *float64 `yaml:"tolerance"`
		}
		before := len(d.problems)
		d.decodeForm(n, &form, path)
		switch {
		case len(d.problems) > before:
		case form.Tolerance == nil:
			d.fail(n, path, "is an empty mapping, expected %s", want)
		case *form.Tolerance <= 0:
			d.problem(join(path, "tolerance"), "must be more than 0; for equal predictions write reproduce: predictions")
		default:
			*r = Reproduce{Mode: ReproduceTolerance, Tolerance: *form.Tolerance}
		}
		return
	}
	text, _ := scalarText(n)
	for _, word := range reproduceWords {
		if text == word {
			r.Mode = ReproduceMode(word)
			return
		}
	}
	d.fail(n, path, "%s is not one of %s%s", quote(text), want, spelling.Hint(text, reproduceWords))
}
