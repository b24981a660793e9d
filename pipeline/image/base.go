package image

import (
	"bytes"
	"encoding/pem"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nonroot is the user that the server runs as, by the number that distroless
// images made customary. A number, so that Kubernetes' runAsNonRoot can check it.
const nonroot = "65532:65532"

// baseFiles are what an otherwise empty file system needs: names for the two
// users, and the certificate authorities for outgoing TLS.
func baseFiles() []file {
	return []file{
		{Name: "/etc/passwd", Mode: 0o644, Data: []byte("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		{Name: "/etc/group", Mode: 0o644, Data: []byte("root:x:0:\nnonroot:x:65532:\n")},
		{Name: "/etc/ssl/certs/ca-certificates.crt", Mode: 0o644, Data: roots()},
	}
}

// roots are the unconditionally trusted roots as PEM, in the module's order.
func roots() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		// A bytes.Buffer does not fail.
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
	}
	return b.Bytes()
}
