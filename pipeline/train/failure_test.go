package train_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
	"github.com/dosirak-ml/dosirak/pipeline/git/gittest"
	"github.com/dosirak-ml/dosirak/pipeline/train"
)

// A trainer that fails in a copy and not in the project: what is said.
func TestFailureSaysTheWayOut(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		trainer string // of train.sh
		python  string // of train.py, which is then what runs
		files   map[string]string
		ignored map[string]string // files that Git does not have
		inputs  []string
		folder  string // of the repository that the project is in
		command string
		setup   string
		want    []string
		never   []string
	}{
		"a file that no pattern names": {
			trainer: `cat lib/rates.txt`, files: map[string]string{"lib/rates.txt": "x"}, inputs: []string{"train.sh"},
			want: []string{"| cat: lib/rates.txt: No such file", `no pattern there names lib/rates.txt: add "lib/rates.txt"`, "copy of the project's folder"},
		},
		"a folder that no pattern names": {
			trainer: `ls lib`, files: map[string]string{"lib/rates.txt": "x"}, inputs: []string{"train.sh"}, command: "sh train.sh && ls ./lib",
			want: []string{`add "lib/**"`},
		},
		"a file that Git ignores, no inputs": {
			trainer: `cat conf/local.ini`, files: map[string]string{".gitignore": "local.ini\n"}, ignored: map[string]string{"conf/local.ini": "x"},
			want: []string{"Git ignores conf/local.ini, so it is not in the copy", `in full ("conf/local.ini")`},
		},
		"a file that Git ignores, with inputs": {
			trainer: `cat conf/local.ini`, files: map[string]string{".gitignore": "local.ini\n"}, ignored: map[string]string{"conf/local.ini": "x"}, inputs: []string{"train.sh"},
			want: []string{"Git ignores conf/local.ini", `name it there in full ("conf/local.ini")`},
		},
		"a file beside the project": {
			trainer: `sh ../../lib/save.sh {out}`, files: map[string]string{"../../lib/save.sh": "true"}, folder: "services/shop",
			want: []string{"../../lib/save.sh lies outside of the project's folder", "a copy of the project's folder", "put dosirak.yaml where both folders are"},
		},
		"the evaluation data": {
			trainer: `cat eval.csv`,
			want:    []string{"eval.csv is the evaluation data, which no replicate sees", "split what the trainer validates on off the training data"},
		},
		"the config": {
			trainer: `cat dosirak.yaml`, files: map[string]string{"dosirak.yaml": "version: 1"},
			want: []string{"dosirak.yaml is read or written by dosirak itself", "name it in train.inputs"},
		},
		"a file that is nowhere": {
			trainer: `cat nothing.txt`, want: []string{"| cat: nothing.txt: No such file"}, never: []string{"copy of the project"},
		},
		"a file, from another folder": {
			trainer: `cd src && cat conf/a.ini`, files: map[string]string{"src/x": "x", "src/conf/a.ini": "x"}, inputs: []string{"train.sh", "src/x"},
			want: []string{`add "src/conf/a.ini"`},
		},
		"{out} as a file": {
			trainer: `echo m > "$6"`, want: []string{"{out} is a folder: write the model into it, for example to {out}/model.onnx"},
		},
		"{out} in another file's place": {
			trainer: `rmdir "$6"; echo m > "$6"`, want: []string{"put something else in the place of {out}", "{out} is a folder"},
		},
		"{out} removed": {
			trainer: `rmdir "$6"`, want: []string{"or removed it: {out} is a folder"},
		},
		"a model beside {out}": {
			trainer: `echo m > "$6.onnx"`, want: []string{"wrote no model", "it left out.onnx beside it"},
		},
		"a model in the working folder": {
			trainer: `mkdir -p models; echo m > models/m.onnx; echo '{}' > "$6/metrics.json"`, want: []string{"wrote no model", "it left models/m.onnx beside it"},
		},
		"an error before what a launcher says": {
			trainer: `echo 'ValueError: bad value' >&2; i=0; while [ $i -lt 40 ]; do echo "cleaning up $i"; i=$((i+1)); done; exit 3`,
			want:    []string{"| ValueError: bad value"}, never: []string{"cleaning up 39"},
		},
		"a program that is not installed": {
			trainer: `no-such-trainer --fit`, want: []string{"exit status 127", "there is no program no-such-trainer on the PATH"},
		},
		"a script that is not executable": {
			command: "./train.sh {out}", want: []string{"exit status 126", "chmod +x"},
		},
		"an interpreter in a virtual environment that Git ignores": {
			files: map[string]string{".gitignore": ".venv\n"}, ignored: map[string]string{".venv/bin/python": "x", ".venv/pyvenv.cfg": "x"}, command: ".venv/bin/python train.py",
			want: []string{".venv/bin/python is not in a replicate's copy", "activate it before you call dosirak", "train.setup"},
		},
		"killed": {
			trainer: `sh -c 'kill -9 $$'; exit $?`, want: []string{"exit status 137, killed by signal 9", "out of memory, perhaps", "train.parallel"},
		},
		"a segmentation fault": {
			trainer: `sh -c 'kill -11 $$'; exit $?`, want: []string{"exit status 139, killed by signal 11 (segmentation fault)"},
		},
		"a GPU that is full": {
			trainer: `echo 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.'; exit 1`, want: []string{"| torch.OutOfMemoryError", "the memory of the GPU did not suffice", "train.parallel: 1"},
		},
		"memory that is full": {
			trainer: `echo "terminate called after throwing an instance of 'std::bad_alloc'"; exit 134`, want: []string{"signal 6 (aborted)", "the memory did not suffice"},
		},
		"Python: a file that no pattern names": {
			python: "import os\ndef load():\n    return open('data/extra.csv')\nload()\n", files: map[string]string{"data/extra.csv": "x"}, inputs: []string{"train.py"},
			want: []string{`|   File "train.py", line 3`, "return open('data/extra.csv')", "| FileNotFoundError: [Errno 2] No such file or directory: 'data/extra.csv'", `add "data/extra.csv"`},
		},
		"Python: the script itself": {
			python: "pass", inputs: []string{"train.sh"}, want: []string{"can't open file", `add "train.py"`},
		},
		"Python: a module of the project": {
			python: "import features.make\n", files: map[string]string{"features/__init__.py": "", "features/make.py": "", "README.md": "x"}, inputs: []string{"train.py"},
			want: []string{"| ModuleNotFoundError: No module named 'features'", `add "features/**"`},
		},
		"Python: a module beside the project": {
			python: "import shared_features\n", files: map[string]string{"../shared_features/__init__.py": ""}, folder: "shop",
			want: []string{"../shared_features lies outside of the project's folder"},
		},
		"Python: no virtual environment": {
			python: "import a_library_that_is_not_there\n", files: map[string]string{".gitignore": ".venv\n"}, ignored: map[string]string{".venv/pyvenv.cfg": "home = /usr\n"},
			want: []string{"has no module a_library_that_is_not_there", "virtual environment .venv is not in a replicate's copy", "source .venv/bin/activate", "python3 -m venv {env}"},
		},
		"Python: requirements that nobody installed": {
			python: "import a_library_that_is_not_there\n", files: map[string]string{"requirements.txt": "x==1\n"},
			want: []string{"{env}/bin/pip install -r requirements.txt"},
		},
		"Python: an editable install of a working copy that is gone": {
			python: "import a_library_that_is_not_there\n", setup: "mkdir {env}/bin # pip install -e .",
			want: []string{"installs the project as editable", "without -e"},
		},
		"Python: a library that the setup does not install": {
			python: "import a_library_that_is_not_there\n", setup: "mkdir {env}/bin", want: []string{"install it in train.setup, and call the Python of {env}"},
		},
		"Python: {out} as a file": {
			python: "import os\nopen(os.environ['DOSIRAK_OUT'], 'wb')\n", want: []string{"| IsADirectoryError", "{out} is a folder"},
		},
		"Python: a chain of exceptions": {
			python: "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('no column a') from e\n",
			want:   []string{"raise ValueError('no column a') from e", "| ValueError: no column a"}, never: []string{"KeyError"},
		},
		"Python: a syntax error": {
			python: "x = (\n", want: []string{"| SyntaxError:"},
		},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := "sh train.sh --seed {seed} --data {data} --out {out}"
			if c.python != "" {
				if testing.Short() {
					t.Skip("starts Python")
				}
				if _, err := exec.LookPath("python3"); err != nil {
					t.Skip("there is no python3 here")
				}
				command = "python3 train.py"
			}
			if c.command != "" {
				command = c.command
			}
			r := gittest.New(t, map[string]string{"top.txt": "x"})
			p := project{t: t, dir: filepath.Join(r.Dir, c.folder)}
			require.NoError(t, os.MkdirAll(p.dir, 0o755))
			inside := gittest.Repository{T: t, Dir: p.dir}
			inside.Write(map[string]string{"train.sh": c.trainer, "train.csv": "a\n1\n", "eval.csv": "a\n2\n"})
			if c.python != "" {
				inside.Write(map[string]string{"train.py": c.python})
			}
			inside.Write(c.files)
			r.Commit("all", nil)
			inside.Write(c.ignored)
			_, err := p.train(func(o *train.Options) {
				o.Seeds, o.Command, o.Inputs, o.Own, o.Setup = []int64{1}, command, c.inputs, own, c.setup
			})
			require.Error(t, err)
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
			}
			for _, never := range c.never {
				assert.NotContains(t, err.Error(), never)
			}
			assert.Equal(t, fault.CodeFailed, fault.ExitCode(err))
		})
	}
}
