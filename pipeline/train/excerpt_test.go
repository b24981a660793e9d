package train

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestExcerpt(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("epoch\n", 40)
	for name, c := range map[string]struct{ log, want string }{
		"Python, with what make says after it": {
			many + `Traceback (most recent call last):
  File "/x/train.py", line 9, in <module>
    main()
  File "/x/train.py", line 5, in main
    fit(rows)
ValueError: Input X contains NaN.
LogisticRegression does not accept missing values
make: *** [Makefile:3: train] Error 1
`, `  File "/x/train.py", line 5, in main
    fit(rows)
ValueError: Input X contains NaN.`,
		},
		"Python under torchrun": {
			`[rank0]: Traceback (most recent call last):
[rank0]:   File "/x/train.py", line 9, in <module>
[rank0]:     fit()
[rank0]: RuntimeError: CUDA error: device-side assert triggered
` + strings.Repeat("W1127 torch/distributed: sending process 7 closing signal\n", 30), `[rank0]:   File "/x/train.py", line 9, in <module>
[rank0]:     fit()
[rank0]: RuntimeError: CUDA error: device-side assert triggered`,
		},
		"Go": {
			many + `panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.fit(...)
	/x/train/main.go:31 +0x1d
main.main()
	/x/train/main.go:12 +0x1d
exit status 2
`, `panic: runtime error: index out of range [3] with length 3
main.fit(...)
	/x/train/main.go:31 +0x1d`,
		},
		"Go that does not build": {
			"# example/train\ntrain/main.go:12:3: undefined: x\n", "train/main.go:12:3: undefined: x",
		},
		"R": {
			many + "Error in read.csv(file) : no lines available in input\nCalls: main -> read.csv\nExecution halted\n",
			"epoch\nError in read.csv(file) : no lines available in input\nCalls: main -> read.csv\nExecution halted",
		},
		"Julia": {
			many + "ERROR: LoadError: UndefVarError: `x` not defined\nStacktrace:\n [1] top-level scope\n   @ /x/train.jl:3\nin expression starting at /x/train.jl:3\n",
			"epoch\nERROR: LoadError: UndefVarError: `x` not defined\nStacktrace:\n [1] top-level scope\n   @ /x/train.jl:3\nin expression starting at /x/train.jl:3",
		},
		"Node": {
			"node:internal/modules\n  throw err;\n  ^\n\nError: Cannot find module 'csv'\n    at a (node:internal)\n    at b (node:internal)\n    at c\n    at d\nNode.js v20\n",
			"  ^\nError: Cannot find module 'csv'\n    at a (node:internal)\n    at b (node:internal)\n    at c\n    at d",
		},
		"a shell": {
			many + "train.sh: 3: frobnicate: not found\n", "epoch\nepoch\ntrain.sh: 3: frobnicate: not found",
		},
		"words": {
			many + "12:01 [lightgbm] Fatal: Check failed: (num_data) > (0)\n" + many,
			"epoch\nepoch\n12:01 [lightgbm] Fatal: Check failed: (num_data) > (0)\nepoch\nepoch\nepoch",
		},
		"nothing that looks like an error": {
			many + "a\nb\n", strings.Repeat("epoch\n", 8) + "a\nb",
		},
		"nothing": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines []string
			for _, line := range strings.Split(c.log, "\n") {
				if line != "" {
					lines = append(lines, line)
				}
			}
			assert.Equal(t, c.want, strings.Join(excerpt(lines), "\n"))
		})
	}
}

func TestExcerptIsShort(t *testing.T) {
	t.Parallel()
	lines := []string{traceback + ":", `  File "a.py", line 1`}
	for range 100 {
		lines = append(lines, "    x")
	}
	lines = append(lines, "ValueError: y")
	got := excerpt(lines)
	assert.Len(t, got, excerptLines)
	assert.Equal(t, "ValueError: y", got[len(got)-1])
}
