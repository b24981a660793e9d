package seal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dosirak-ml/dosirak/model-server/bundle"
	"github.com/dosirak-ml/dosirak/pipeline/export"
	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// sideFiles are what a trainer may write to {out} beside its model and what
// has a meaning.
var sideFiles = []string{"params.json", "metrics.json", "history.jsonl", export.File}

// mlmodel is the file by which a folder is known as an MLflow model.
const mlmodel = "MLmodel"

// FindModel returns the file of the one model in a trainer's output folder,
// which may lie in the folder of an MLflow model, or in out that is one. What
// is a model its bytes tell: anything else there, such as a plot or a table,
// is none. No model, several, or one that cannot be served are of kind
// fault.Failed: the trainer broke its contract.
func FindModel(out string) (string, error) {
	entries, err := os.ReadDir(out)
	if err != nil {
		return "", fault.Environment(fmt.Errorf("looking for the model: %w", err))
	}
	var f findings
	for _, entry := range entries {
		if entry.Name() == mlmodel {
			f = findings{}
			f.look(out)
			break
		}
		if !strings.HasPrefix(entry.Name(), ".") && !slices.Contains(sideFiles, entry.Name()) {
			f.look(filepath.Join(out, entry.Name()))
		}
	}
	if len(f.models) == 0 && len(f.refused) > 0 {
		return "", fault.ModelUnreadable.Failed(f.refusal())
	}
	path, err := f.model()
	if err != nil {
		return "", fault.NoModel.Failed(err)
	}
	return path, nil
}

// findings are what lies in a trainer's output folder.
type findings struct {
	models  []servable
	refused []refusal
	data    []string // names of files with the numbers of a model
	others  []string // names of what is no model
}

// servable is a file that can be served.
type servable struct{ name, path string }

// refusal is a file that is a model and cannot be served.
type refusal struct {
	name string
	err  error
}

// look sorts a file or folder.
func (f *findings) look(path string) {
	name := filepath.Base(path)
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() && !info.Mode().IsRegular() {
		f.others = append(f.others, name)
		return
	}
	if info.IsDir() {
		if _, err := os.Stat(filepath.Join(path, mlmodel)); err != nil {
			f.others = append(f.others, name+"/")
			return
		}
	}
	if ext := strings.ToLower(filepath.Ext(name)); !info.IsDir() && (ext == ".data" || ext == ".onnx_data") {
		f.data = append(f.data, name)
		return
	}
	format, err := bundle.SniffFormat(path)
	var refused *bundle.RefusedError
	switch {
	case err == nil:
		if info.IsDir() {
			name += "/" + filepath.Base(format.Path)
		}
		f.models = append(f.models, servable{name, format.Path})
	case errors.As(err, &refused) && refused.Unknown, info.Size() == 0 && strings.ToLower(filepath.Ext(name)) != ".onnx":
		f.others = append(f.others, name)
	default:
		f.refused = append(f.refused, refusal{name, err})
	}
}

const contract = "it must write one model file, or the folder of an MLflow model"

// model chooses. A model that can be served wins over what cannot: encoders
// and pipelines are often pickled beside it.
func (f *findings) model() (string, error) {
	switch {
	case len(f.models) == 1 && len(f.data) > 0:
		return "", fmt.Errorf("beside %s lies %s: the model keeps its numbers in another file (external data), and what ships is one file; "+
			"write it as one: onnx.save_model without save_as_external_data, torch.onnx.export(..., external_data=False)", f.models[0].name, strings.Join(f.data, ", "))
	case len(f.models) == 1:
		return f.models[0].path, nil
	case len(f.models) > 1:
		names := make([]string, len(f.models))
		for i, m := range f.models {
			names[i] = m.name
		}
		return "", fmt.Errorf("the trainer wrote %d models to {out}: %s; %s", len(names), strings.Join(names, ", "), contract)
	}
	if found := slices.Concat(f.data, f.others); len(found) > 0 {
		return "", fmt.Errorf("the trainer wrote no model to {out}: what is there is none (%s); %s", listed(found), contract)
	}
	return "", errors.New("the trainer wrote no model to {out}; " + contract)
}

// refusal says why what is a model is not served.
func (f *findings) refusal() error {
	first := f.refused[0].err
	if len(f.refused) == 1 {
		return first
	}
	names := make([]string, len(f.refused))
	for i, r := range f.refused {
		names[i] = r.name
	}
	return fmt.Errorf("the trainer wrote %s to {out}, and none of them can be served; the first: %w", strings.Join(names, ", "), first)
}

// listed names a few of many.
func listed(names []string) string {
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
