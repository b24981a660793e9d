package onboard

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

const actionsRepository = "https://github.com/dosirak-ml/dosirak"

var versionName = regexp.MustCompile(`^v\d+\.\d+\.\d+$`)

// LookUpActions asks GitHub for the commit of a release's tag. The answer is
// trusted as much as the download of a release is: it becomes the pin.
func LookUpActions(ctx context.Context, version string) (string, error) {
	if !versionName.MatchString(version) {
		return "", fault.BadCommand.Usage(fmt.Errorf("this build of dosirak (%s) is no release, so its actions have no commit to pin: name one with --actions-commit", version))
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", "ls-remote", "--exit-code", actionsRepository, "refs/tags/"+version, "refs/tags/"+version+"^{}")
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		return "", fault.GitHubUnreachable.Environment(fmt.Errorf("looking up the commit of dosirak %s at %s: %w; name it with --actions-commit", version, actionsRepository, err))
	}
	// An annotated tag has a line of its own for the commit, which comes last.
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	commit, _, _ := bytes.Cut(lines[len(lines)-1], []byte("\t"))
	return string(commit), nil
}
