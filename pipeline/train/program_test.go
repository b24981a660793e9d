package train

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestProgram(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"train --out {out}":                `train --out "$DOSIRAK_OUT"`,
		`train "--out={out}/m"`:            `train "--out=${DOSIRAK_OUT}/m"`,
		`python -c 'x={seed}'`:             `python -c 'x='"$DOSIRAK_SEED"''`,
		`echo ${seed} {other} {}`:          `echo ${seed} {other} {}`,
		`awk '{print}' \{seed} \'{seed}`:   `awk '{print}' \{seed} \'"$DOSIRAK_SEED"`,
		`x="$(cat {data} "{out}")"`:        `x="$(cat "$DOSIRAK_DATA" "${DOSIRAK_OUT}")"`,
		"x=`cat {data}`":                   "x=`cat \"$DOSIRAK_DATA\"`",
		`(cd x; run {seed}) "it's {seed}"`: `(cd x; run "$DOSIRAK_SEED") "it's ${DOSIRAK_SEED}"`,
	} {
		got, err := program(command, "seed", "data", "out")
		require.NoError(t, err, command)
		assert.Equal(t, want, got)
	}
}

// Whatever the value is, it arrives as one word, and nothing of it is run.
func TestProgramPassesValuesAsTheyAre(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.StringMatching(`[ -~]{0,20}`).Draw(rt, "value")
		form := rapid.SampledFrom([]string{`{data}`, `"{data}"`, `'{data}'`, `"$(printf %s {data})"`, `""{data}''`}).Draw(rt, "form")
		text, err := program("printf '[%s]' "+form, "data")
		require.NoError(rt, err)
		cmd := exec.Command("sh", "-c", text)
		cmd.Env = []string{"DOSIRAK_DATA=" + value, "PATH=/usr/bin:/bin"}
		out, err := cmd.Output()
		require.NoError(rt, err, text)
		assert.Equal(rt, "["+value+"]", string(out), text)
	})
}

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"train/**", "train/a/b.py", true}, {"train/**", "train.py", false}, {"train", "train/a/b.py", true},
		{"**/*.py", "a.py", true}, {"**/*.py", "x/y/a.py", true}, {"*.py", "x/a.py", false}, {"x/**/a.py", "x/a.py", true},
		{"./data/*.csv", "data/train.csv", true}, {"data/train.csv", "data/train.csv", true}, {"data/tr?in.csv", "data/train.csv", true},
		{"a", "ab", false}, {"a/**/b/**", "a/b", true}, {"a/b/c", "a/b", false},
	} {
		assert.Equal(t, test.want, glob(test.pattern, test.name), "%s %s", test.pattern, test.name)
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "\x1b[31;1mred\x1b[0m": "red", "a\tb\x00\x07": "a b", "left\u202eright": "leftright", "bad\xff": "bad�", "한글": "한글", "\x1b]0;title\x07": "]0;title",
	} {
		assert.Equal(t, want, printable(in))
	}
}
