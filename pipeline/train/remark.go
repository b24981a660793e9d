package train

import (
	"bytes"
	"io"
	"os"
	"strings"
)

// remark says before anything is trained what would be a pity to learn after it.
func (o *Options) remark(entries []entry) {
	if len(o.Seeds) > 1 && !o.readsSeed(entries) {
		o.note("neither train.command nor a file of the project reads the seed ({seed} or DOSIRAK_SEED): every replicate will be the same model, or will differ by what nobody controls; give {seed} to the trainer, or write seeds: [1]")
	}
}

// maxSource bounds the files that are looked through for the seed's variable.
const maxSource = 1 << 20

// readsSeed reports whether the command, or a file of the working copy that it
// may run, names the seed.
func (o *Options) readsSeed(entries []entry) bool {
	if strings.Contains(o.Command, "{seed}") || strings.Contains(o.Command, "DOSIRAK_SEED") {
		return true
	}
	for _, e := range entries {
		if !e.mode.IsRegular() || e.size > maxSource {
			continue
		}
		f, err := os.Open(o.original(e))
		if err != nil {
			return true // said elsewhere
		}
		data, err := io.ReadAll(io.LimitReader(f, maxSource))
		f.Close()
		if err != nil || bytes.Contains(data, []byte("DOSIRAK_SEED")) {
			return true
		}
	}
	return false
}
