package server

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The standard client of the protocol reads every answer.
func TestTritonClient(t *testing.T) {
	t.Parallel()
	python := os.Getenv("DOSIRAK_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import tritonclient.http, numpy").CombinedOutput(); err != nil {
		if strings.Contains(os.Getenv("DOSIRAK_REQUIRE"), "python") {
			require.NoError(t, err, "DOSIRAK_REQUIRE names python: %s", out)
		}
		t.Skipf("%s with tritonclient[http] is not here; name one in DOSIRAK_PYTHON", python)
	}
	web := httptest.NewServer(openFake(t, &fake{}, Options{}).Handler())
	defer web.Close()
	out, err := exec.Command(python, "testdata/tritonclient_peer.py", web.URL).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "ok\n", string(out))
}
