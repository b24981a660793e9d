package image

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"net/url"
	"runtime/debug"
	"sort"
	"strings"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// The part of SPDX 2.3 that a list of Go modules needs.
// https://spdx.github.io/spdx-spec/v2.3/
type spdxDocument struct {
	Version       string             `json:"spdxVersion"`
	DataLicense   string             `json:"dataLicense"`
	ID            string             `json:"SPDXID"`
	Name          string             `json:"name"`
	Namespace     string             `json:"documentNamespace"`
	Creation      spdxCreation       `json:"creationInfo"`
	Packages      []spdxPackage      `json:"packages"`
	Relationships []spdxRelationship `json:"relationships"`
}

type spdxCreation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	Name             string            `json:"name"`
	ID               string            `json:"SPDXID"`
	Version          string            `json:"versionInfo"`
	DownloadLocation string            `json:"downloadLocation"`
	FilesAnalyzed    bool              `json:"filesAnalyzed"`
	LicenseConcluded string            `json:"licenseConcluded"`
	LicenseDeclared  string            `json:"licenseDeclared"`
	Copyright        string            `json:"copyrightText"`
	Checksums        []spdxChecksum    `json:"checksums,omitempty"`
	Comment          string            `json:"comment,omitempty"`
	References       []spdxExternalRef `json:"externalRefs"`
}

type spdxChecksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type spdxExternalRef struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type spdxRelationship struct {
	From string `json:"spdxElementId"`
	Type string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

// sbom lists the Go modules of an executable, from the build information that
// the linker put into it. sha256 is the executable's digest in hexadecimal.
func sbom(binary, sha256, release string) ([]byte, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, fault.Usage(fmt.Errorf("server binary %s has no Go build information for the SBOM: %w", binary, err))
	}
	raw, err := json.MarshalIndent(spdxOf(info, sha256, release), "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing the SBOM: %w", err)
	}
	return append(raw, '\n'), nil
}

func spdxOf(info *buildinfo.BuildInfo, sha256, release string) spdxDocument {
	main := module(info.Main.Path, release, info.Main.Sum)
	main.Checksums = []spdxChecksum{{Algorithm: "SHA256", Value: sha256}}
	doc := spdxDocument{
		Version: "SPDX-2.3", DataLicense: "CC0-1.0", ID: "SPDXRef-DOCUMENT",
		Name: "model-server", Namespace: "https://github.com/dosirak-ml/dosirak/spdx/" + sha256,
		Creation: spdxCreation{Created: "1970-01-01T00:00:00Z", Creators: []string{"Tool: dosirak-" + release}},
		Packages: []spdxPackage{main},
		Relationships: []spdxRelationship{
			{From: "SPDXRef-DOCUMENT", Type: "DESCRIBES", To: main.ID},
		},
	}
	dependencies := []spdxPackage{module("stdlib", strings.TrimPrefix(info.GoVersion, "go"), "")}
	for _, dep := range info.Deps {
		dependencies = append(dependencies, moduleOf(dep))
	}
	sort.SliceStable(dependencies, func(i, j int) bool { return dependencies[i].Name < dependencies[j].Name })
	for _, dep := range dependencies {
		doc.Packages = append(doc.Packages, dep)
		doc.Relationships = append(doc.Relationships, spdxRelationship{From: main.ID, Type: "DEPENDS_ON", To: dep.ID})
	}
	return doc
}

// moduleOf describes what was compiled: the replacement where there is one.
func moduleOf(m *debug.Module) spdxPackage {
	if m.Replace != nil {
		m = m.Replace
	}
	return module(m.Path, m.Version, m.Sum)
}

func module(path, version, sum string) spdxPackage {
	p := spdxPackage{
		Name: path, ID: "SPDXRef-" + spdxID(path+"-"+version), Version: version,
		DownloadLocation: "NOASSERTION", LicenseConcluded: "NOASSERTION",
		LicenseDeclared: "NOASSERTION", Copyright: "NOASSERTION",
		References: []spdxExternalRef{{Category: "PACKAGE-MANAGER", Type: "purl", Locator: purl(path, version)}},
	}
	if sum != "" {
		p.Comment = "go.sum " + sum
	}
	return p
}

// purl is the package URL of a Go module.
// https://github.com/package-url/purl-spec/blob/main/types-doc/golang-definition.md
func purl(path, version string) string {
	return "pkg:golang/" + strings.ToLower(path) + "@" + strings.ReplaceAll(url.PathEscape(version), "+", "%2B")
}

// spdxID keeps the characters that SPDX identifiers may have.
func spdxID(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-':
			return r
		}
		return '-'
	}, s)
}
