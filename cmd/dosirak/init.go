package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
	"github.com/dosirak-ml/dosirak/pipeline/onboard"
	"github.com/dosirak-ml/dosirak/pipeline/project"
)

const actionsRepository = "https://github.com/dosirak-ml/dosirak"

func newInitCommand() *cobra.Command {
	var o initOptions
	var github, asJSON bool
	cmd := &cobra.Command{
		Use:   "init --github",
		Short: "Write the workflows for GitHub into a repository",
		Long: `init --github writes dosirak's workflows into .github/workflows of the repository,
for every folder in it that has a dosirak.yaml. A file that is there is left as
it is. dosirak's actions are pinned by the commit of this release, which is
looked up on GitHub, or by --actions-commit.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !github {
				return fault.BadCommand.Usage(errors.New("say what to write: init --github writes the workflows for GitHub. The config is yours to write; `dosirak schema config` describes it"))
			}
			o.version = releaseVersion()
			o.lookUp = lookUpCommit
			made, err := initGitHub(cmd.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), made)
			}
			return showInit(cmd.OutOrStdout(), made)
		},
	}
	cmd.Flags().BoolVar(&github, "github", false, "write the workflows for GitHub")
	cmd.Flags().StringVarP(&o.dir, "directory", "C", ".", "a folder of the repository")
	cmd.Flags().StringVar(&o.commit, "actions-commit", "", "commit of dosirak's actions (default: that of this release)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

type initOptions struct {
	dir, commit, version string
	lookUp               func(ctx context.Context, version string) (commit string, err error)
}

// initialised is what `init --json` prints.
type initialised struct {
	Models  []foundModel `json:"models"`
	Written []string     `json:"written"`
	Kept    []string     `json:"kept"` // were there already
	Actions string       `json:"actions"`
}

type foundModel struct {
	Directory string   `json:"directory"`
	Model     string   `json:"model"`
	Contexts  []string `json:"contexts"` // statuses that a branch rule can require
}

func initGitHub(ctx context.Context, o initOptions) (initialised, error) {
	made := initialised{Written: []string{}, Kept: []string{}}
	repo, err := git.Open(ctx, o.dir)
	if err != nil {
		return made, fault.Usage(fmt.Errorf("writing the workflows: %w", err))
	}
	top := strings.TrimSuffix(filepath.ToSlash(repo.Dir)+"/", repo.Prefix)
	whole, err := git.Open(ctx, top)
	if err != nil {
		return made, fault.Usage(fmt.Errorf("writing the workflows: %w", err))
	}
	files, err := whole.Files(ctx)
	if err != nil {
		return made, fault.Environment(err)
	}
	s := onboard.Settings{Actions: o.commit}
	for _, folder := range onboard.Discover(files) {
		p, err := project.Open(ctx, filepath.Join(top, filepath.FromSlash(folder)), "")
		if err != nil {
			return made, err
		}
		m := foundModel{Directory: folder, Model: p.Config.Model}
		for _, environment := range p.Config.Promote.Environments {
			m.Contexts = append(m.Contexts, "dosirak/"+p.Config.Model+"/"+environment)
		}
		if i := slices.IndexFunc(made.Models, func(x foundModel) bool { return x.Model == m.Model }); i >= 0 {
			return made, fault.Usage(fmt.Errorf("two projects have the model %s, %s and %s: their statuses and branches would be the same; rename one", m.Model, made.Models[i].Directory, folder))
		}
		made.Models = append(made.Models, m)
		s.Branches = append(s.Branches, p.Config.Promote.Base)
	}
	if len(made.Models) == 0 {
		return made, fault.ConfigAbsent.Usage(fmt.Errorf("there is no %s in %s: write one first; `dosirak schema config` describes it", onboard.ConfigFile, top))
	}
	if s.Actions == "" {
		if s.Actions, err = o.lookUp(ctx, o.version); err != nil {
			return made, err
		}
		s.Version = o.version
	}
	made.Actions = s.Actions
	workflows, err := onboard.Workflows(s)
	if err != nil {
		return made, fault.Usage(err)
	}
	folder := filepath.Join(filepath.FromSlash(top), ".github", "workflows")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return made, fault.Environment(fmt.Errorf("writing the workflows: %w", err))
	}
	for _, name := range slices.Sorted(maps.Keys(workflows)) {
		written, err := writeNew(filepath.Join(folder, name), workflows[name])
		if err != nil {
			return made, fault.Environment(fmt.Errorf("writing the workflows: %w", err))
		}
		if rel := ".github/workflows/" + name; written {
			made.Written = append(made.Written, rel)
		} else {
			made.Kept = append(made.Kept, rel)
		}
	}
	return made, nil
}

// writeNew writes a file that does not exist yet; one that does, link or file,
// is left alone.
func writeNew(path string, data []byte) (written bool, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = f.Write(data)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(path) // half a workflow would be worse than none
	}
	return err == nil, err
}

var versionName = regexp.MustCompile(`^v\d+\.\d+\.\d+$`)

// lookUpCommit asks GitHub for the commit of a release's tag. The answer is
// trusted as much as the download of a release is: it becomes the pin.
func lookUpCommit(ctx context.Context, version string) (string, error) {
	if !versionName.MatchString(version) {
		return "", fault.Usage(fmt.Errorf("this build of dosirak (%s) is no release, so its actions have no commit to pin: name one with --actions-commit", version))
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", "ls-remote", "--exit-code", actionsRepository, "refs/tags/"+version, "refs/tags/"+version+"^{}")
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		return "", fault.Environment(fmt.Errorf("looking up the commit of dosirak %s at %s: %w; name it with --actions-commit", version, actionsRepository, err))
	}
	// An annotated tag has a line of its own for the commit, which comes last.
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	commit, _, _ := bytes.Cut(lines[len(lines)-1], []byte("\t"))
	return string(commit), nil
}

func showInit(w io.Writer, made initialised) error {
	text := ""
	for _, name := range made.Written {
		text += "wrote " + name + "\n"
	}
	for _, name := range made.Kept {
		text += "kept  " + name + ", which was there\n"
	}
	text += "\nModels:\n"
	var contexts []string
	for _, m := range made.Models {
		text += fmt.Sprintf("  %s in %s\n", m.Model, printable(m.Directory))
		contexts = append(contexts, m.Contexts[0])
	}
	text += fmt.Sprintf(`
Next:
1. Commit the workflows and merge them. dosirak-judge.yml, dosirak-main.yml and
   dosirak-reconcile.yml work only once they are on the default branch: the pull
   request that adds them is trained, and gets neither status nor comment.
2. Settings > Actions > General: allow GitHub Actions to create pull requests.
3. Require the status in the rules of the base branch:
     %s
docs/github.md in dosirak's repository says more.
`, strings.Join(contexts, "\n     "))
	_, err := io.WriteString(w, text)
	return err
}
