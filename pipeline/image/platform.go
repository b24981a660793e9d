package image

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Platform is an operating system and an architecture in Go's (and OCI's)
// names.
type Platform struct {
	OS   string
	Arch string
}

// Host is the platform of this process.
func Host() Platform { return Platform{OS: runtime.GOOS, Arch: runtime.GOARCH} }

// ParsePlatform reads "linux/amd64" or "linux/arm64", the platforms of images.
func ParsePlatform(s string) (Platform, error) {
	os, arch, ok := strings.Cut(s, "/")
	p := Platform{OS: os, Arch: arch}
	if !ok || !p.image() {
		return Platform{}, fault.BadPlatform.Usage(fmt.Errorf("platform %q: images are built for linux/amd64 and linux/arm64", s))
	}
	return p, nil
}

func (p Platform) String() string { return p.OS + "/" + p.Arch }

// image reports whether images are built for p.
func (p Platform) image() bool {
	return p.OS == "linux" && (p.Arch == "amd64" || p.Arch == "arm64")
}
