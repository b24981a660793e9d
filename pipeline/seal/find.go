package seal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// notModels are what a trainer may write to {out} beside its model.
var notModels = []string{"params.json", "metrics.json", "history.jsonl"}

// mlmodel is the file by which a folder is known as an MLflow model.
const mlmodel = "MLmodel"

// FindModel returns the one model in a trainer's output folder: a file, or the
// folder of an MLflow model, which may be out itself. None or several are of
// kind fault.Failed: the trainer broke its contract.
func FindModel(out string) (string, error) {
	entries, err := os.ReadDir(out)
	if err != nil {
		return "", fault.Environment(fmt.Errorf("looking for the model: %w", err))
	}
	var found, folders []string
	for _, entry := range entries {
		name := entry.Name()
		path := filepath.Join(out, name)
		switch {
		case name == mlmodel:
			return out, nil
		case strings.HasPrefix(name, "."), slices.Contains(notModels, name):
		case entry.IsDir():
			if _, err := os.Stat(filepath.Join(path, mlmodel)); err == nil {
				found = append(found, path)
			} else {
				folders = append(folders, name+"/")
			}
		default:
			found = append(found, path)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		also := ""
		if len(folders) > 0 {
			also = fmt.Sprintf(" (there is %s, without the file %s of an MLflow model)", strings.Join(folders, ", "), mlmodel)
		}
		return "", fault.NoModel.Failed(errors.New("the trainer wrote no model to {out}" + also + "; it must write one model file, or the folder of an MLflow model"))
	}
	names := make([]string, len(found))
	for i, path := range found {
		names[i] = filepath.Base(path)
	}
	return "", fault.NoModel.Failed(fmt.Errorf("the trainer wrote %d files to {out} that may be the model: %s; it must write one model there (%s are known and may lie beside it)",
		len(found), strings.Join(names, ", "), strings.Join(notModels, ", ")))
}
