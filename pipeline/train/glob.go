package train

import (
	"fmt"
	"path"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// glob reports whether a path matches a pattern, both relative and with
// slashes. * and ? stay inside a segment, ** is any number of segments. A
// pattern that names a folder matches all that is in it.
func glob(pattern, name string) bool {
	return segments(strings.Split(strings.Trim(path.Clean(pattern), "/"), "/"), strings.Split(name, "/"))
}

func segments(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for skip := range len(name) + 1 {
				if segments(pattern[1:], name[skip:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 {
			return false
		}
		if ok, _ := path.Match(pattern[0], name[0]); !ok {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return true // equal, or name lies below what the pattern names
}

func hasWildcard(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

// checkGlob returns what is wrong with a pattern, before any file is matched.
func checkGlob(pattern string) error {
	if strings.HasPrefix(pattern, "/") || strings.HasPrefix(path.Clean(pattern), "..") {
		return fault.BadInputs.Usage(fmt.Errorf("train.inputs: %q leads out of the project: name files inside it", pattern))
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return fault.BadInputs.Usage(fmt.Errorf("train.inputs: %q is no pattern: %w", pattern, err))
	}
	return nil
}
