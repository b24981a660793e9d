package train

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// placeholders and the variables that hold their values.
var placeholders = map[string]string{
	"seed": "DOSIRAK_SEED",
	"data": "DOSIRAK_DATA",
	"out":  "DOSIRAK_OUT",
	"env":  "DOSIRAK_ENV",
}

// program turns a command with placeholders into a program for sh -c.
//
// A placeholder becomes a quoted reference to the variable that holds its
// value, in the form that the quotes around it ask for:
//
//	--out {out}       --out "$DOSIRAK_OUT"
//	"--out={out}/m"   "--out=${DOSIRAK_OUT}/m"
//	'x={seed}'        'x='"$DOSIRAK_SEED"''
//
// So a value is never read as shell, whatever is in it. ${seed} stays: it is
// the shell's own. Here-documents are not understood, and in sh -c '... {data}'
// the inner shell gets the value as text; write $DOSIRAK_DATA in both.
func program(command string, allowed ...string) (string, error) {
	var out strings.Builder
	// quotes holds what is open: ' or " or ` or ( for $(; inside of those two
	// last the shell reads afresh.
	var quotes []byte
	top := func() byte {
		if len(quotes) == 0 {
			return 0
		}
		return quotes[len(quotes)-1]
	}
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case c == 0:
			return "", fault.BadTemplate.Usage(fmt.Errorf("the command holds a NUL byte"))
		case top() == '\'':
			if c == '\'' {
				quotes = quotes[:len(quotes)-1]
			}
		case c == '\\' && i+1 < len(command):
			out.WriteByte(c)
			i++
			c = command[i]
			out.WriteByte(c)
			continue
		case c == '"':
			if top() == '"' {
				quotes = quotes[:len(quotes)-1]
			} else {
				quotes = append(quotes, '"')
			}
		case c == '\'' && top() != '"':
			quotes = append(quotes, '\'')
		case c == '`':
			if top() == '`' {
				quotes = quotes[:len(quotes)-1]
			} else {
				quotes = append(quotes, '`')
			}
		case c == '$' && strings.HasPrefix(command[i+1:], "("):
			out.WriteString("$(")
			quotes = append(quotes, '(')
			i++
			continue
		case c == '$' && strings.HasPrefix(command[i+1:], "{"):
			// ${name}: copied, so that {name} in it is no placeholder.
			out.WriteString("${")
			i++
			continue
		case c == '(' && top() != '"':
			quotes = append(quotes, '(')
		case c == ')' && top() == '(':
			quotes = quotes[:len(quotes)-1]
		}
		if name, ok := placeholderAt(command[i:]); ok {
			if !slices.Contains(allowed, name) {
				return "", fault.BadTemplate.Usage(fmt.Errorf("the command %q holds {%s}, which has no value there: use {%s}", command, name, strings.Join(allowed, "}, {")))
			}
			variable := placeholders[name]
			switch top() {
			case '\'':
				out.WriteString(`'"$` + variable + `"'`)
			case '"':
				out.WriteString("${" + variable + "}")
			default:
				out.WriteString(`"$` + variable + `"`)
			}
			i += len(name) + 1
			continue
		}
		out.WriteByte(c)
	}
	if slices.Contains(quotes, '\'') || slices.Contains(quotes, '"') {
		return "", fault.BadTemplate.Usage(fmt.Errorf("the command %q opens a quote that it does not close", command))
	}
	return out.String(), nil
}

func placeholderAt(text string) (string, bool) {
	for name := range placeholders {
		if strings.HasPrefix(text, "{"+name+"}") {
			return name, true
		}
	}
	return "", false
}
