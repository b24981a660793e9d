package artifact

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

var limits = Limits{Artifacts: 3, Archive: 1 << 20, Entries: 5, File: 1000, Total: 2000}

type entry struct {
	name    string
	content string
	change  func(h *zip.FileHeader)
}

// archive writes a zip file; what change says of an entry is not made true.
func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{
			Name: e.name, Method: zip.Store, CRC32: crc32.ChecksumIEEE([]byte(e.content)),
			CompressedSize64: uint64(len(e.content)), UncompressedSize64: uint64(len(e.content)),
		}
		if e.change != nil {
			e.change(h)
		}
		raw, err := w.CreateRaw(h)
		require.NoError(t, err)
		_, err = io.WriteString(raw, e.content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func unpack(archive []byte, into string) (int64, error) {
	return Unpack(bytes.NewReader(archive), int64(len(archive)), into, limits)
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range map[string]string{"training.json": "{}", "seed-1.onnx": strings.Repeat("x", 900), "more/": "", "more/history.jsonl": "a\n"} {
		f, err := w.Create(name) // deflated
		require.NoError(t, err)
		_, err = io.WriteString(f, content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	into := filepath.Join(t.TempDir(), "fresh")
	written, err := unpack(b.Bytes(), into)
	require.NoError(t, err)
	assert.EqualValues(t, 904, written)
	for name, content := range map[string]string{"training.json": "{}", "seed-1.onnx": strings.Repeat("x", 900), "more/history.jsonl": "a\n"} {
		got, err := os.ReadFile(filepath.Join(into, name))
		require.NoError(t, err)
		assert.Equal(t, content, string(got))
		info, err := os.Stat(filepath.Join(into, name))
		require.NoError(t, err)
		assert.Zero(t, info.Mode()&0o111, "nothing can be run")
	}
	_, err = unpack(b.Bytes(), into)
	assert.ErrorContains(t, err, "there already")
	assert.FileExists(t, filepath.Join(into, "training.json"), "what was there stays")
}

func TestHostileArchives(t *testing.T) {
	t.Parallel()
	fine := entry{name: "training.json", content: "{}"}
	mode := func(m fs.FileMode) func(*zip.FileHeader) { return func(h *zip.FileHeader) { h.SetMode(m) } }
	zeros := func(n int, said uint64) entry {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, err := w.Create("x")
		require.NoError(t, err)
		_, err = f.Write(make([]byte, n))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		require.NoError(t, err)
		raw, err := r.File[0].OpenRaw()
		require.NoError(t, err)
		content, err := io.ReadAll(raw)
		require.NoError(t, err)
		return entry{"bomb", string(content), func(h *zip.FileHeader) {
			h.Method, h.CRC32, h.UncompressedSize64 = zip.Deflate, r.File[0].CRC32, said
		}}
	}
	several := func(n, size int) (out []entry) {
		for i := range n {
			out = append(out, entry{name: "f" + string(rune('a'+i)), content: strings.Repeat("x", size)})
		}
		return out
	}
	noEnd := archive(t, fine)
	shared := archive(t, entry{name: "a", content: "1"}, entry{name: "b", content: "2"})
	// The second entry of the directory points at the first one's bytes, with a
	// CRC that is not theirs.
	second := bytes.LastIndex(shared, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(shared[second+42:], 0)
	huge := bytes.Buffer{}
	w := zip.NewWriter(&huge)
	for range 20000 {
		_, err := w.CreateHeader(&zip.FileHeader{Name: "a-name-that-takes-some-room-in-the-directory"})
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	for _, tt := range []struct {
		name    string
		archive []byte
		says    string
	}{
		{"no zip", []byte("hello"), "not a valid zip"},
		{"empty", nil, "not a valid zip"},
		{"cut", noEnd[:len(noEnd)-10], "not a valid zip"},
		{"parent", archive(t, fine, entry{name: "../evil"}), "no name"},
		{"parent within", archive(t, fine, entry{name: "a/../../evil"}), "no name"},
		{"absolute", archive(t, fine, entry{name: "/etc/evil"}), "no name"},
		{"backslash", archive(t, fine, entry{name: `..\evil`}), "no name"},
		{"drive", archive(t, fine, entry{name: "c:evil"}), "no name"},
		{"this folder", archive(t, fine, entry{name: "./evil"}), "no name"},
		{"empty part", archive(t, fine, entry{name: "a//b"}), "no name"},
		{"no name", archive(t, fine, entry{name: ""}), "no name"},
		{"only a slash", archive(t, fine, entry{name: "/"}), "no name"},
		{"hidden", archive(t, fine, entry{name: ".git/config"}), "no name"},
		{"line end", archive(t, fine, entry{name: "a\n::error::b"}), "no name"},
		{"null", archive(t, fine, entry{name: "a\x00b"}), "no name"},
		{"bidi", archive(t, fine, entry{name: "a\u202eb"}), "no name"},
		{"not UTF-8", archive(t, fine, entry{name: "a\xff"}), "no name"},
		{"long", archive(t, fine, entry{name: strings.Repeat("a", 129)}), "no name"},
		{"deep", archive(t, fine, entry{name: strings.Repeat("a/", 9) + "b"}), "folders"},
		{"link", archive(t, fine, entry{"link", "/etc/passwd", mode(fs.ModeSymlink | 0o777)}), "neither a file nor a folder"},
		{"link as a folder", archive(t, fine, entry{"link/", "", mode(fs.ModeSymlink | 0o777)}), "neither a file nor a folder"},
		{"device", archive(t, fine, entry{"null", "", mode(fs.ModeDevice | fs.ModeCharDevice)}), "neither a file nor a folder"},
		{"pipe", archive(t, fine, entry{"pipe", "", mode(fs.ModeNamedPipe)}), "neither a file nor a folder"},
		{"socket", archive(t, fine, entry{"socket", "", mode(fs.ModeSocket)}), "neither a file nor a folder"},
		{"folder without a slash", archive(t, fine, entry{"folder", "", mode(fs.ModeDir | 0o755)}), "neither a file nor a folder"},
		{"folder with bytes", archive(t, fine, entry{"folder/", "", func(h *zip.FileHeader) { h.UncompressedSize64 = 3 }}), "a folder of 3 bytes"},
		{"encrypted", archive(t, fine, entry{"a", "x", func(h *zip.FileHeader) { h.Flags |= 1 }}), "encrypted"},
		{"another method", archive(t, fine, entry{"a", "x", func(h *zip.FileHeader) { h.Method = 12 }}), "method 12"},
		{"twice", archive(t, fine, fine), "twice"},
		{"twice but for case", archive(t, fine, entry{name: "Training.JSON"}), "twice"},
		{"file and folder of one name", archive(t, fine, entry{name: "a"}, entry{name: "a/"}), "twice"},
		{"file as a folder", archive(t, fine, entry{name: "a/b"}, entry{name: "A"}), "a file and a folder"},
		{"too many", archive(t, several(6, 1)...), "6 entries"},
		{"too large a file", archive(t, entry{name: "a", content: strings.Repeat("x", 1001)}), "1001 bytes"},
		{"too much together", archive(t, several(3, 900)...), "more than 2000 bytes together"},
		{"bomb that says so", archive(t, fine, zeros(1<<22, 1<<22)), "4194304 bytes"},
		{"bomb that says less", archive(t, fine, zeros(1<<22, 10)), "bomb"},
		{"less than is said", archive(t, fine, zeros(10, 900)), "bomb"},
		{"size that is no int64", archive(t, fine, zeros(10, 1<<63+1)), "at most 1000"},
		{"wrong checksum", archive(t, entry{"a", "x", func(h *zip.FileHeader) { h.CRC32++ }}), "checksum"},
		{"bytes of two entries", shared, "checksum"},
		{"huge directory", huge.Bytes(), "directory"},
	} {
		parent := t.TempDir()
		into := filepath.Join(parent, "fresh")
		written, err := unpack(tt.archive, into)
		require.Error(t, err, tt.name)
		assert.Contains(t, err.Error(), tt.says, tt.name)
		assert.Equal(t, fault.CodeUsage, fault.ExitCode(err), "%s: %v", tt.name, err)
		assert.Zero(t, written, tt.name)
		left, err := os.ReadDir(parent)
		require.NoError(t, err)
		assert.Empty(t, left, "%s: nothing stays", tt.name)
	}
}

// A directory that fails to be made is this machine's fault.
func TestUnpackIntoNowhere(t *testing.T) {
	t.Parallel()
	_, err := unpack(archive(t, entry{name: "a"}), filepath.Join(t.TempDir(), "no", "such"))
	assert.Equal(t, fault.CodeEnvironment, fault.ExitCode(err), "%v", err)
}

// Whatever an archive is, it ends in an error or in plain files below the
// folder, within the limits, and beside the folder nothing is touched.
func FuzzUnpack(f *testing.F) {
	f.Add(archive(f, entry{name: "training.json", content: "{}"}, entry{name: "a/b", content: "x"}))
	f.Add(archive(f, entry{name: "../evil", content: "x"}))
	f.Add(archive(f, entry{"link", "..", func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink) }}, entry{name: "link/evil", content: "x"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		parent := t.TempDir()
		into := filepath.Join(parent, "fresh")
		written, err := unpack(data, into)
		left, readErr := os.ReadDir(parent)
		require.NoError(t, readErr)
		if err != nil {
			require.Empty(t, left)
			return
		}
		require.Len(t, left, 1)
		total, entries := int64(0), 0
		require.NoError(t, filepath.WalkDir(into, func(_ string, d fs.DirEntry, err error) error {
			require.NoError(t, err)
			require.True(t, d.IsDir() || d.Type().IsRegular())
			if !d.IsDir() {
				info, err := d.Info()
				require.NoError(t, err)
				require.LessOrEqual(t, info.Size(), limits.File)
				total += info.Size()
				entries++
			}
			return nil
		}))
		require.Equal(t, written, total)
		require.LessOrEqual(t, total, limits.Total)
		require.LessOrEqual(t, entries, limits.Entries)
	})
}
