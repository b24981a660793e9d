package runner

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

const (
	// maxOutput bounds one output. The runner takes 1 MiB of all outputs of a
	// job (docs.github.com, "Passing information between jobs").
	maxOutput = 256 << 10
	// maxSummary is the runner's limit of a step summary.
	maxSummary = 1 << 20
)

// checkValue refuses what could forge another output, or mislead whoever
// reads this one: an output is one line of visible text.
func checkValue(name, value string) error {
	if len(value) > maxOutput {
		return fault.Usage(fmt.Errorf("output %s has %d bytes, more than the %d that an output may have", name, len(value), maxOutput))
	}
	if !utf8.ValidString(value) {
		return fault.Usage(fmt.Errorf("output %s is not valid UTF-8, so it is not written", name))
	}
	for _, r := range value {
		// Cc are line ends and other controls, Cf bidirectional marks.
		if unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return fault.Usage(fmt.Errorf("output %s holds the character %U, which could pass it off as another output, so it is not written: rename what carries it", name, r))
		}
	}
	return nil
}

// encodeOutput is the text of one output in the file of GITHUB_OUTPUT.
func encodeOutput(name, value, delimiter string) string {
	return name + "<<" + delimiter + "\n" + value + "\n" + delimiter + "\n"
}

// delimiter returns a delimiter that nobody can know.
func delimiter() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand, Go 1.24
	return "dosirak_" + hex.EncodeToString(b[:])
}

// appendTo adds text to a file of the runner's.
func appendTo(variable, path, text string) error {
	if text == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fault.Environment(fmt.Errorf("writing the file of %s: %w", variable, err))
	}
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fault.Environment(fmt.Errorf("writing the file of %s: %w", variable, err))
	}
	return nil
}

// summaryText bounds a summary at a line's end.
func summaryText(text string) string {
	text = strings.ReplaceAll(text, "\x00", "")
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if len(text) <= maxSummary {
		return text
	}
	const note = "\n\n_The rest is left out: a step summary has at most 1 MiB._\n"
	cut := text[:maxSummary-len(note)]
	if i := strings.LastIndexByte(cut, '\n'); i > 0 {
		cut = cut[:i]
	}
	return cut + note
}
