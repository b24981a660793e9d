package doctor

import (
	"context"
	"path"
	"strings"
)

// checkPrograms looks for the program that each command begins with. What a
// shell would make of the rest is not guessed at.
func checkPrograms(_ context.Context, s Subject) []Finding {
	var out []Finding
	found := []string{}
	for _, c := range s.Config.Commands {
		name := program(c.Text)
		if name == "" {
			continue
		}
		if _, err := s.Machine.Find(name); err != nil {
			out = append(out, fail(step(c.Key), "install it, or put its folder on the PATH", "%s begins with %q, which is not on the PATH", c.Key, name))
			continue
		}
		found = append(found, name)
	}
	if len(found) > 0 {
		out = append(out, ok("%s found", list(unique(found)))...)
	}
	return out
}

func step(key string) string {
	before, _, _ := strings.Cut(key, ".")
	if before == "metrics" {
		return "compare"
	}
	return before
}

// builtins are words that a shell understands by itself.
var builtins = map[string]bool{
	"cd": true, "export": true, "set": true, "test": true, "[": true, ".": true, "source": true, "if": true, "for": true,
	"while": true, "case": true, "exec": true, "echo": true, "true": true, "false": true, "umask": true, "{": true, "(": true,
	"exit": true, "printf": true, "eval": true, "unset": true, "trap": true, "ulimit": true, "!": true, ":": true,
}

// program returns the first word of a command when it is the plain name of a
// program, after assignments of variables; "" otherwise.
func program(command string) string {
	for _, word := range strings.Fields(command) {
		if name, _, assigns := strings.Cut(word, "="); assigns && identifier(name) {
			continue
		}
		// A path is looked for by the run itself, in the replicate's own copy.
		if builtins[word] || strings.ContainsAny(word, "/\\$`\"'(){}<>|&;*?[]~") || word != path.Base(word) {
			return ""
		}
		return word
	}
	return ""
}

func identifier(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") == ""
}
