package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// kinds are files that are found where a table should be, by how they begin
// (the formats' own specifications; file(1) knows the same). hint is the way
// out.
var kinds = []struct {
	begins *regexp.Regexp
	what   string
	hint   string
}{
	{begins(`version https://git-lfs\.github\.com/spec/`), "a Git LFS pointer, not the data", "run git lfs pull; in a GitHub workflow, give actions/checkout lfs: true"},
	{begins(`version https://hawser\.github\.com/spec/`), "a Git LFS pointer, not the data", "run git lfs pull"},
	{begins(`(?:md5: [0-9a-f]+\n)?(?:frozen: \w+\n)?(?:deps:\n(?:[- ].*\n)+)?outs:\r?\n- `), "a DVC pointer, not the data", "run dvc pull, and name the file without .dvc"},
	{begins(`(?:\.\./)*(?:\.git)?/?annex/objects/`), "a git-annex pointer, not the data", "run git annex get"},
	{begins(`\s*(?i:<!doctype html|<html|<head|<body|<script)`), "an HTML page, such as one to sign in or of an error, not the data", "fetch the data again, signed in"},
	{begins(`\s*<\?xml|\s*<[A-Za-z][A-Za-z0-9:]*(?:\s[^<>]*)?>\s*<`), "XML, such as an error that a storage service answers, not a table", "fetch the data again, and look at what the file says"},
	{begins(`\s*\{\s*(?:"[^"\n]*"\s*:|\})`), "JSON, such as an error that a service answers, not a table", "fetch the data again, or write the rows as CSV or Parquet"},
	{begins(`\s*\[\s*(?:\{|\[|\])`), "JSON, not a table", "write the rows as CSV or Parquet"},
	{begins(`\xff\xfe\x00\x00|\x00\x00\xfe\xff`), "UTF-32 text", "save it as UTF-8"},
	{begins(`\xff\xfe|\xfe\xff`), "UTF-16 text", "save it as UTF-8 (in Excel: CSV UTF-8)"},
	{begins(`\x1f\x8b`), "a gzip file", "give it a name that ends in .gz"},
	{begins(`PK\x03\x04|PK\x05\x06`), "a zip archive or an Excel workbook", "unpack it, or save the sheet as CSV UTF-8"},
	{begins(`\xd0\xcf\x11\xe0`), "an Excel workbook of the old format", "save the sheet as CSV UTF-8"},
	{begins(`PAR1|PARE`), "a Parquet file", "give it a name that ends in .parquet"},
	{begins(`ARROW1|FEA1`), "an Arrow or Feather file", "write it as Parquet"},
	{begins(`Obj\x01`), "an Avro file", "write it as Parquet"},
	{begins(`\x89HDF`), "an HDF5 file", "write the table as Parquet"},
	{begins(`\x93NUMPY`), "a NumPy array", "write the table as Parquet"},
	{begins(`SQLite format 3\x00`), "an SQLite database", "write the table as CSV or Parquet"},
	{begins(`\x80[\x02-\x05]`), "a Python pickle", "write the table with to_csv or to_parquet; pickles are not opened, they can run code"},
	{begins(`\x28\xb5\x2f\xfd`), "a zstd file", "unpack it, or pack it with gzip"},
	{begins(`BZh[1-9]1AY&SY`), "a bzip2 file", "unpack it, or pack it with gzip"},
	{begins(`\xfd7zXZ\x00`), "an xz file", "unpack it, or pack it with gzip"},
	{begins(`7z\xbc\xaf\x27\x1c`), "a 7z archive", "unpack it, or pack it with gzip"},
	{begins(`%PDF-`), "a PDF", "write the table as CSV"},
	{begins(`(?s)[^\x00]{1,100}\x00.{156,256}ustar`), "a tar archive", "unpack it"},
	{begins(`<<<<<<< `), "a file with an unresolved merge conflict", "resolve it"},
}

// begins matches bytes, not runes, at the beginning.
func begins(pattern string) *regexp.Regexp {
	return regexp.MustCompile(`^(?:` + pattern + `)`)
}

// conflict is the middle of a merge conflict at the beginning of a line.
var conflict = []byte("\n<<<<<<< ")

// checkKind refuses what is no text table by the beginning of the file; whole
// says that there is no more.
func checkKind(name string, head []byte, whole bool) error {
	plain := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if whole && len(bytes.TrimSpace(plain)) == 0 {
		return refuse(name, 1, "the file is empty; its first line must name the columns")
	}
	if what, hint := kindOf(plain); what != "" {
		return fault.NoTable.Usage(fmt.Errorf("reading %s: it is %s; %s", name, what, hint))
	}
	if at := bytes.Index(head, conflict); at >= 0 && bytes.Contains(head[at:], []byte("\n=======")) {
		return refuse(name, bytes.Count(head[:at+1], []byte{'\n'})+1, "there is an unresolved merge conflict; resolve it")
	}
	return nil
}

// kindOf says what a file is that begins with head, "" where it may be a table.
func kindOf(head []byte) (what, hint string) {
	// The patterns are of bytes: as Latin-1, each byte is one rune.
	runes := make([]rune, min(len(head), 1024))
	for i := range runes {
		runes[i] = rune(head[i])
	}
	text := string(runes)
	for _, k := range kinds {
		if k.what != "" && k.begins.MatchString(text) {
			return k.what, k.hint
		}
	}
	return "", ""
}

// Check looks at the beginning of the file at path and returns the error that
// Read would return for what the file is: not there, a folder, a pointer of
// Git LFS or DVC, a web page, another format. It does not read the table.
func Check(ctx context.Context, path string, o Options) error {
	if !Readable(path) {
		if strings.HasSuffix(path, ".dvc") {
			return fault.NoTable.Usage(fmt.Errorf("reading %s: it is a DVC pointer, not the data; run dvc pull, and name the file without .dvc", path))
		}
		return fault.NoTable.Usage(fmt.Errorf("reading %s: the name must end in %s", path, Names))
	}
	_, err := Read(ctx, path, o, glance{})
	if errors.Is(err, errGlance) {
		return nil
	}
	return err
}

// glance is a sink that is content with the header.
type glance struct{}

var errGlance = errors.New("the header is enough")

func (glance) Header(Header) ([]bool, error) { return nil, errGlance }
func (glance) Record(*Record) error          { return io.EOF }
func (glance) Values(int, Values) error      { return io.EOF }
