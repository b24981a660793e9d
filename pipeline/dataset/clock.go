package dataset

import (
	"fmt"
	"math"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/table"
)

// layouts are the timestamps that are read. Seconds may have a fraction.
var layouts = []string{
	time.RFC3339,
	"2006-01-02 15:04:05",
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04",
	"2006-01-02T15:04",
	time.DateOnly,
	"2006/01/02",
	"20060102T150405Z",
}

// instant is a point in time, or a number that stands for one.
type instant struct {
	number  float64 // when the column holds numbers
	seconds int64   // since 1970 else
	nanos   int
}

func (a instant) before(b instant) bool {
	if a.number != b.number {
		return a.number < b.number
	}
	if a.seconds != b.seconds {
		return a.seconds < b.seconds
	}
	return a.nanos < b.nanos
}

// clock reads the cells of one column of times, in both tables alike.
type clock struct {
	known   bool // whether a cell was read, so that numeric holds
	numeric bool
	layout  string // of the last timestamp
}

func (c *clock) read(cell string) (instant, error) {
	if table.Missing(cell) {
		return instant{}, fmt.Errorf("the time is missing; fill it, or drop the row")
	}
	v, isNumber := table.Number(cell)
	isNumber = isNumber && !math.IsNaN(v)
	mixed := func() error {
		return fmt.Errorf("%q is %s, where earlier cells are %s", clip(cell), manner(isNumber), manner(c.numeric))
	}
	if isNumber && c.known && !c.numeric {
		return instant{}, mixed()
	}
	if isNumber {
		c.known, c.numeric = true, true
		return instant{number: v}, nil
	}
	at, err := time.Parse(c.layout, cell)
	if c.layout == "" || err != nil {
		for _, layout := range layouts {
			if at, err = time.Parse(layout, cell); err == nil {
				c.layout = layout
				break
			}
		}
	}
	if err != nil {
		return instant{}, fmt.Errorf("%q is neither a number nor a timestamp such as 2013-10-01T05:00:00Z, 2013-10-01 05:00 or 2013-10-01", clip(cell))
	}
	if c.known && c.numeric {
		return instant{}, mixed()
	}
	c.known, c.numeric = true, false
	return instant{seconds: at.Unix(), nanos: at.Nanosecond()}, nil
}

func manner(isNumber bool) string {
	if isNumber {
		return "a number"
	}
	return "a timestamp"
}
