package predictions

import (
	"compress/gzip"
	"io"
	"os"
	"strings"
)

// ReadFile reads a file of predictions; its name tells the format.
func ReadFile(path string, opts Options) (*Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usagef("reading predictions: %w", err)
	}
	defer f.Close()
	switch {
	case strings.HasSuffix(path, ".csv"):
		return readCSV(f, path, opts)
	case strings.HasSuffix(path, ".csv.gz"):
		return readGzip(f, path, opts, readCSV)
	case strings.HasSuffix(path, ".jsonl"):
		return readJSONL(f, path, opts)
	case strings.HasSuffix(path, ".jsonl.gz"):
		return readGzip(f, path, opts, readJSONL)
	case isParquet(path):
		info, err := f.Stat()
		if err != nil {
			return nil, usagef("reading predictions: %w", err)
		}
		return readParquet(f, info.Size(), path, opts)
	}
	return nil, usagef("%s: the format is told by the name: .csv, .csv.gz, .parquet, .jsonl or .jsonl.gz", path)
}

// Read reads CSV predictions from r; name is used in messages.
func Read(r io.Reader, name string, opts Options) (*Set, error) { return readCSV(r, name, opts) }

type reader func(r io.Reader, file string, opts Options) (*Set, error)

func readGzip(r io.Reader, file string, opts Options, read reader) (*Set, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, usagef("%s: unpacking: %w", file, err)
	}
	return read(z, file, opts)
}
