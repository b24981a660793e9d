package v2

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

// read reads the body into buffer, which it grows as bytes come in: a length
// that is only announced makes no room.
func (h *handler) read(r *http.Request, buffer []byte) ([]byte, error) {
	limit := h.limits.Body
	if r.ContentLength > limit {
		return buffer, TooLarge(limit)
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return buffer, Errorf(http.StatusUnsupportedMediaType, "compressed bodies are not read here; send JSON as it is")
	}
	buffer = buffer[:0]
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := r.Body.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case int64(len(buffer)) > limit:
			return buffer, TooLarge(limit)
		case err == io.EOF:
			return buffer, binaryPart(r, len(buffer))
		case errors.Is(err, os.ErrDeadlineExceeded):
			return buffer, Errorf(http.StatusRequestTimeout, "the body did not arrive in time")
		case err != nil:
			return buffer, Errorf(http.StatusBadRequest, "the body did not arrive whole")
		}
	}
}

// binaryPart refuses a body of which only the first part is JSON.
// https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
func binaryPart(r *http.Request, size int) error {
	header := r.Header.Get("Inference-Header-Content-Length")
	if n, err := strconv.Atoi(header); header == "" || err == nil && n == size {
		return nil
	}
	return Errorf(http.StatusBadRequest, "the binary tensor extension is not spoken here; send JSON (tritonclient: binary_data=False)")
}

// Buffers of bodies are used again, up to a size: one huge request must not
// keep its memory for ever.
const largestKept = 4 << 20

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

func getBuffer() *[]byte { return buffers.Get().(*[]byte) }

func putBuffer(b *[]byte) {
	if cap(*b) <= largestKept {
		*b = (*b)[:0]
		buffers.Put(b)
	}
}
