package project

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Find returns the folder of the project that somebody in dir works on: dir
// itself where it holds the config, else the nearest folder above it that does,
// up to the top of the Git repository. Without a repository, and where there is
// no config, it is dir. The path is relative where dir is, so that messages can
// be clicked.
func Find(dir, configFile string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fault.Usage(fmt.Errorf("opening the project: %w", err))
	}
	if configFile == "" {
		configFile = ConfigFile
	}
	info, err := os.Stat(abs)
	if err != nil || !info.IsDir() || filepath.IsAbs(configFile) || holds(abs, configFile) {
		return dir, nil // what is no folder is for Open to tell
	}
	shown, nearest := dir, ""
	// A repository's top holds .git: a folder, or a file in a linked work tree or
	// a submodule.
	for folder := abs; !holds(folder, ".git"); {
		if filepath.Dir(folder) == folder {
			return dir, nil
		}
		folder, shown = filepath.Dir(folder), filepath.Join(shown, "..")
		if nearest == "" && holds(folder, configFile) {
			nearest = shown
		}
	}
	if nearest == "" {
		return dir, nil
	}
	return nearest, nil
}

func holds(folder, name string) bool {
	_, err := os.Lstat(filepath.Join(folder, filepath.FromSlash(name)))
	return err == nil
}
