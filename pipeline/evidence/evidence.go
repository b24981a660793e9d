// Package evidence names the files that a run leaves: in its own folder, and,
// for a promotion, in Git beside the manifest, where verify finds them. A
// packed file has the same bytes for the same content.
//
// The package is a leaf: standard library only.
package evidence

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

// Names of files, the same in a run's folder and in the evidence.
const (
	Report   = "report.json"
	Markdown = "report.md"
	Page     = "report.html"
	Exam     = "exam.json"
)

// Names of the evidence alone.
const (
	CandidatePredictions = "predictions-candidate.csv.gz"
	BaselinePredictions  = "predictions-baseline.csv.gz"
	AnchorPredictions    = "predictions-anchor.csv.gz"
	// Replicates is the folder of the models of the seeds that were not the
	// candidate: the baseline's replicates of the runs to come.
	Replicates = "replicates"
)

// MaxFile bounds one file of the evidence, packed or not.
const MaxFile = 1 << 30

// Pack compresses a file. The header holds neither name nor time.
func Pack(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		if _, err = w.Write(data); err == nil {
			err = w.Close()
		}
	}
	return b.Bytes(), err
}

// Unpack is the content of a packed file, of at most MaxFile bytes.
func Unpack(packed []byte) ([]byte, error) { return unpack(packed, MaxFile) }

func unpack(packed []byte, limit int64) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(z, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(out)) > limit {
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return out, nil
}
