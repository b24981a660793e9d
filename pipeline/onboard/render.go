package onboard

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

//go:embed workflows/*.yml
var templates embed.FS

// Pins are the actions of others that the workflows use, by commit: a tag can
// be moved, as that of tj-actions/changed-files was (CVE-2025-30066).
var Pins = map[string]string{
	"checkout": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
	"setup-go": "actions/setup-go@b7ad1dad31e06c5925ef5d2fc7ad053ef454303e # v7.0.0",
	"upload":   "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0",
	"download": "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1",
	"attest":   "actions/attest-build-provenance@a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32 # v4.1.0",
}

// Settings say how the workflows of one repository differ from another's.
type Settings struct {
	// Actions is where dosirak's own actions are: "./" in its own repository,
	// else a commit of github.com/dosirak-ml/dosirak.
	Actions string
	Version string // release that the commit is of, for the reader
	// Source says that the actions are built from source, which needs Go: this
	// version of it, "" is that of this repository.
	Source      bool
	Go          string
	Directories []string // of the projects; empty: all that are found
	Branches    []string // base branches of the projects
	// Base is the branch of the projects whose config names none, "" where every
	// one does or where it is called main.
	Base string
	// Push says that the workflows push the image that they propose; Registries
	// are the hosts where images belong, ghcr.io among them or not.
	Push       bool
	Registries []string
}

var (
	commitName = regexp.MustCompile(`^[0-9a-f]{40}$`)
	branchName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)
	folderName = regexp.MustCompile(`^[A-Za-z0-9._][A-Za-z0-9._/-]*$`)
	release    = regexp.MustCompile(`^v[0-9A-Za-z.+-]+$`)
	goVersion  = regexp.MustCompile(`^(|[0-9]+\.[0-9]+(\.[0-9]+)?)$`)
	hostName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?$`)
)

// Workflows returns the workflows by file name. What goes into them comes from
// closed alphabets, since YAML and expressions read them.
func Workflows(s Settings) (map[string][]byte, error) {
	if s.Actions != "./" && !commitName.MatchString(s.Actions) {
		return nil, fmt.Errorf("writing the workflows: %q is no commit of dosirak: give all 40 digits", s.Actions)
	}
	if s.Version != "" && !release.MatchString(s.Version) {
		return nil, fmt.Errorf("writing the workflows: %q is no version", s.Version)
	}
	if !goVersion.MatchString(s.Go) {
		return nil, fmt.Errorf("writing the workflows: %q is no version of Go", s.Go)
	}
	for _, host := range s.Registries {
		if !hostName.MatchString(host) {
			return nil, fmt.Errorf("writing the workflows: the registry %q cannot stand in a workflow", host)
		}
	}
	branches := s.Branches
	if s.Base != "" {
		branches = append(slices.Clone(branches), s.Base)
	}
	for _, b := range branches {
		if !branchName.MatchString(b) {
			return nil, fmt.Errorf("writing the workflows: the branch %q cannot stand in a workflow: rename it, or write the workflow by hand", b)
		}
	}
	for _, d := range s.Directories {
		if !folderName.MatchString(d) {
			return nil, fmt.Errorf("writing the workflows: the folder %q cannot stand in a workflow: rename it", d)
		}
	}
	if len(s.Branches) == 0 {
		return nil, fmt.Errorf("writing the workflows: no base branch is named")
	}
	t, err := template.New("").Delims("[[", "]]").Funcs(s.words()).ParseFS(templates, "workflows/*.yml")
	if err != nil {
		return nil, fmt.Errorf("writing the workflows: %w", err)
	}
	names, err := fs.Glob(templates, "workflows/*.yml")
	if err != nil {
		return nil, fmt.Errorf("writing the workflows: %w", err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		name = strings.TrimPrefix(name, "workflows/")
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, name, nil); err != nil {
			return nil, fmt.Errorf("writing the workflows: %w", err)
		}
		files[name] = b.Bytes()
	}
	return files, nil
}

// Steps that several workflows have.
const (
	fetch = `      - name: Fetch the change as data
        env:
          GH_TOKEN: ${{ github.token }}
          HEAD: ${{ github.event.workflow_run.head_sha }}
        run: >-
          git -c credential.helper= -c 'credential.helper=!gh auth git-credential' fetch --quiet origin "$HEAD" ||
          echo "The change could not be fetched, so every model is taken for changed."
`
	// One manifest that does not hold must not redden another model, and a matrix
	// has one result: each job leaves its own.
	verified = `      - name: Leave word that it holds
        run: echo holds >verified.txt
      - uses: UPLOAD
        with:
          name: dosirak-verified-${{ matrix.model }}
          path: verified.txt
          if-no-files-found: error
          retention-days: 1
`
	foundSteps = `      - if: matrix.change == 'model'
        continue-on-error: true # without a report the status is concluded as an error
        uses: DOWNLOAD
        with:
          pattern: dosirak-report-${{ matrix.model }}
          path: report
          merge-multiple: true
      - id: verified
        if: matrix.change == 'manifest'
        continue-on-error: true # the outcome of this step is the verdict
        uses: DOWNLOAD
        with:
          name: dosirak-verified-${{ matrix.model }}
          path: verified
`
)

// words are what the templates know.
func (s Settings) words() template.FuncMap {
	words := template.FuncMap{
		"action": func(name string) string {
			folder := strings.TrimSuffix("actions/"+name, "actions/")
			if s.Actions == "./" {
				return "./" + folder
			}
			uses := strings.TrimSuffix("dosirak-ml/dosirak/"+folder, "/") + "@" + s.Actions
			if s.Version != "" {
				uses += " # " + s.Version
			}
			return uses
		},
		"generated": func() string { return "#\n# Written by `dosirak init --github`; it is yours to change." },
		"branches": func() string {
			branches := slices.Clone(s.Branches)
			slices.Sort(branches)
			return "[" + strings.Join(slices.Compact(branches), ", ") + "]"
		},
		"directories": func() string {
			if len(s.Directories) == 0 {
				return ""
			}
			return "        with:\n          directories: " + strings.Join(s.Directories, ",") + "\n"
		},
		"setup": func() string {
			if !s.Source {
				return ""
			}
			text := "      - uses: " + Pins["setup-go"] + "\n        with:\n"
			if s.Go == "" {
				return text + "          go-version-file: go.mod\n"
			}
			// The commit of the actions stands in this file: with it the cache changes.
			return text + "          go-version: '" + s.Go + "'\n          cache-dependency-path: .github/workflows/dosirak.yml\n"
		},
		"environment": func() string {
			if s.Base == "" {
				return ""
			}
			return "env:\n  DOSIRAK_BASE: " + s.Base + " # where promote.base is not written\n"
		},
		"fetch":    func() string { return fetch },
		"verified": func() string { return strings.ReplaceAll(verified, "UPLOAD", Pins["upload"]) },
		"found":    func() string { return strings.ReplaceAll(foundSteps, "DOWNLOAD", Pins["download"]) },
		"packages": func() string {
			if !s.Push || !slices.Contains(s.Registries, "ghcr.io") {
				return ""
			}
			return "      packages: write # the image, and the tag named like the environment\n"
		},
		"login": func() string {
			var others []string
			for _, host := range s.Registries {
				if host != "ghcr.io" && !slices.Contains(others, host) {
					others = append(others, host)
				}
			}
			if !s.Push || len(others) == 0 {
				return ""
			}
			return "      # Log in to " + strings.Join(others, ", ") + " here, with docker/login-action by its commit, so that the\n      # image can be pushed and its tag set.\n"
		},
		"push": func() string {
			if s.Push {
				return ""
			}
			return "          push: 'false'\n"
		},
		"trainer": func() string {
			if s.Actions == "./" {
				return ""
			}
			return "      # What your trainer needs, such as Python, is set up here. train.setup in\n      # dosirak.yaml then installs its libraries.\n"
		},
	}
	for name, pin := range Pins {
		if name != "setup-go" {
			words[name] = func() string { return pin }
		}
	}
	return words
}
