package project

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/config"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git"
)

// ConfigFile is the config's name in a project's folder.
const ConfigFile = "dosirak.yaml"

// Project is a folder with a config, usually inside a Git repository.
type Project struct {
	Dir        string // absolute
	Config     *config.Config
	ConfigPath string      // relative to Dir
	Repo       *git.Repo   // nil without Git
	NoRepo     error       // why Repo is nil
	Commit     string      // "" without Git or before the first commit
	Branch     string      // "" when HEAD is detached
	Changed    []string    // what differs from the commit, in git's short form
	Bundles    BundleStore // of bundles that are not in Git; nil: none is asked
}

// Open reads the config of the project in dir; config is relative to
// dir, ConfigFile when empty.
func Open(ctx context.Context, dir, configFile string) (*Project, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("opening the project: %w", err))
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return nil, fault.ConfigUnreadable.Usage(fmt.Errorf("opening the project: %s is not a folder: name the folder that holds %s with -C", dir, ConfigFile))
	}
	if configFile == "" {
		configFile = ConfigFile
	}
	p := &Project{Dir: abs, ConfigPath: configFile}
	p.Repo, p.NoRepo = git.Open(ctx, abs)
	if p.NoRepo != nil && !errors.Is(p.NoRepo, git.ErrNoRepository) {
		return nil, fault.Usage(p.NoRepo)
	}
	path := filepath.Join(dir, configFile) // as the user wrote it, so that messages can be clicked
	if _, err := os.Stat(path); err != nil {
		if p.NoRepo != nil {
			return nil, fault.ConfigAbsent.Usage(fmt.Errorf("there is no %s in %s (%w): name the project's folder with -C, or write one; `dosirak schema config` describes it", configFile, dir, p.NoRepo))
		}
		return nil, fault.ConfigAbsent.Usage(fmt.Errorf("there is no %s in %s: name the project's folder with -C, or write one; `dosirak schema config` describes it", configFile, dir))
	}
	if p.Config, err = config.Load(path, Catalogue); err != nil {
		return nil, err
	}
	if p.Repo == nil {
		if p.Config.Promote.Base == "" {
			p.Config.Promote.Base = usualBases[0]
		}
		return p, nil
	}
	if p.Config.Promote.Base == "" {
		if p.Config.Promote.Base, err = DefaultBranch(ctx, p.Repo); err != nil {
			return nil, err
		}
	}
	if p.Commit, p.Branch, err = p.Repo.Head(ctx); err != nil {
		return nil, fault.Environment(fmt.Errorf("opening the project: %w", err))
	}
	if p.Changed, err = p.Repo.Changed(ctx); err != nil {
		return nil, fault.Environment(fmt.Errorf("opening the project: %w", err))
	}
	return p, nil
}

// Environment is an environment of the config by its name, the first one for
// "".
func (p *Project) Environment(name string) (string, error) {
	environments := p.Config.Promote.Environments
	if name == "" {
		return environments[0], nil
	}
	if !slices.Contains(environments, name) {
		return "", fault.UnknownEnvironment.Usage(fmt.Errorf("environment %q is not one of promote.environments: %s", name, strings.Join(environments, ", ")))
	}
	return name, nil
}

// Folder is the project's folder from the top of the repository, "" for the top
// itself and without Git.
func (p *Project) Folder() string {
	if p.Repo == nil {
		return ""
	}
	return strings.TrimSuffix(p.Repo.Prefix, "/")
}

// Path returns a path of the config as an absolute one.
func (p *Project) Path(name string) string { return filepath.Join(p.Dir, filepath.FromSlash(name)) }
