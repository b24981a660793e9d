package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/dosirak-ml/dosirak/pipeline/report/terminal"
)

// screen returns the terminal that w writes to, if it is one.
func screen(w io.Writer) (*os.File, bool) {
	if c, ok := w.(*counted); ok {
		w = c.Writer
	}
	file, ok := w.(*os.File)
	return file, ok && term.IsTerminal(int(file.Fd()))
}

// width returns the columns of the terminal that w writes to, 0 where it is
// none or does not tell.
func width(w io.Writer) int {
	if file, ok := screen(w); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil {
			return max(columns, 0)
		}
	}
	return 0
}

// sayTo tells what is going on in lines of w.
func sayTo(w io.Writer) func(string) {
	return func(text string) { fmt.Fprintf(w, "dosirak: %s\n", text) }
}

// textOptions asks the terminal, if w is one, for width and colour. NO_COLOR
// (no-color.org) and TERM=dumb turn colours off, for every command alike.
func textOptions(w io.Writer, getenv func(string) string) terminal.Options {
	if _, ok := screen(w); !ok {
		return terminal.Options{}
	}
	return terminal.Options{Width: width(w), Color: getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"}
}
