package command

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

var (
	assignment  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
	interpreter = regexp.MustCompile(`^(python[0-9.]*|bash|sh|Rscript|julia|node|ruby|perl)$`)
)

// Check says before anything is paid for that the command of a metric cannot
// run in folder dir: its program is not there, or the script that it gives to an
// interpreter. What a shell would make of more than plain words is not guessed
// at.
func Check(ctx context.Context, dir, name, command string) error {
	plain := strings.ReplaceAll(command, "{predictions}", "predictions")
	if strings.ContainsAny(plain, "|&;<>$`(){}*?[]~'\"\\\n") {
		return nil
	}
	words := strings.Fields(plain)
	for len(words) > 0 && assignment.MatchString(words[0]) {
		words = words[1:]
	}
	if len(words) == 0 {
		return nil
	}
	missing := func(what, wayOut string) error {
		return fault.MetricCommandFailed.Usage(fmt.Errorf("metric %s: its command %q needs %s: %s", name, command, what, wayOut))
	}
	program := words[0]
	found := exec.CommandContext(ctx, "sh", "-c", `command -v -- "$1"`, "sh", program) // it knows the shell's own words too
	found.Dir = dir
	if found.Run() != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return missing(program+", which is not there", "install it, put its folder on the PATH, or correct the command")
	}
	if !interpreter.MatchString(filepath.Base(program)) || len(words) < 2 || strings.HasPrefix(words[1], "-") || filepath.Ext(words[1]) == "" {
		return nil
	}
	script := words[1]
	if !filepath.IsAbs(script) {
		script = filepath.Join(dir, script)
	}
	if _, err := os.Stat(script); err != nil {
		return missing(words[1]+", which is not in the project's folder", "add it, or correct the path")
	}
	return nil
}
