package githubtest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
)

func init() {
	maps.Copy(handlers, map[string]handler{
		"actions/list-workflow-run-artifacts": listArtifacts,
		"actions/download-artifact":           downloadArtifact,
	})
	maps.Copy(permissions, map[string][]string{
		"actions/list-workflow-run-artifacts": {"actions=read"},
		"actions/download-artifact":           {"actions=read"},
	})
}

// Artifact is what a workflow run left.
type Artifact struct {
	ID      int
	Run     int    // of the list that it appears in
	Commit  string // the run's
	Name    string
	Archive []byte // a zip file, as it is stored
	Expired bool

	// What GitHub would never answer, and a test wants to be refused:
	RunSaid  int    // the run that it names, when it is not Run
	SizeSaid int    // when it is not that of Archive
	Digest   string // "" is that of Archive, "none" leaves it out
	Location string // where a download is sent to, "" is the storage
	Gone     bool   // expires between the list and the download
}

// LeaveArtifact adds an artifact to a run.
func (s *Server) LeaveArtifact(a Artifact) *Artifact {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.ID = s.id()
	s.state.artifacts = append(s.state.artifacts, &a)
	return &a
}

func (s *Server) artifactObject(a *Artifact) object {
	run, size, digest := a.Run, len(a.Archive), any(a.Digest)
	if a.RunSaid != 0 {
		run = a.RunSaid
	}
	if a.SizeSaid != 0 {
		size = a.SizeSaid
	}
	switch a.Digest {
	case "":
		sum := sha256.Sum256(a.Archive)
		digest = "sha256:" + hex.EncodeToString(sum[:])
	case "none":
		digest = nil
	}
	return object{
		"id": a.ID, "name": a.Name, "size_in_bytes": size, "expired": a.Expired, "digest": digest,
		"workflow_run": object{"id": run, "head_sha": a.Commit},
	}
}

func listArtifacts(s *Server, r request) (int, any) {
	found := []object{}
	for _, a := range s.state.artifacts {
		if strconv.Itoa(a.Run) == r.params["run_id"] {
			found = append(found, s.artifactObject(a))
		}
	}
	return http.StatusOK, object{"total_count": len(found), "artifacts": page(s, r, found)}
}

// downloadArtifact sends on to the storage, which is another host, as GitHub
// does: its address is a secret that is good for a minute.
func downloadArtifact(s *Server, r request) (int, any) {
	for _, a := range s.state.artifacts {
		if strconv.Itoa(a.ID) != r.params["artifact_id"] || r.params["archive_format"] != "zip" {
			continue
		}
		if a.Expired || a.Gone {
			return http.StatusGone, object{"message": "Artifact has expired", "documentation_url": "https://docs.github.com/rest"}
		}
		location := a.Location
		if location == "" {
			location = fmt.Sprintf("%s/%d.zip?sig=secret", s.storage(), a.ID)
		}
		r.header.Set("Location", location)
		return http.StatusFound, nil
	}
	return notFound("Not Found")
}

// storage starts the host that keeps the archives. It takes no token: one that
// is sent there is a secret told to somebody else.
func (s *Server) storage() string {
	if s.state.storage == nil {
		s.state.storage = httptest.NewServer(http.HandlerFunc(s.serveArchive))
		s.t.Cleanup(s.state.storage.Close)
	}
	return s.state.storage.URL
}

func (s *Server) serveArchive(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		s.t.Errorf("githubtest: the storage of artifacts was sent the token")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.state.artifacts {
		if r.URL.Path == "/"+strconv.Itoa(a.ID)+".zip" && strings.Contains(r.URL.RawQuery, "sig=secret") {
			w.Header().Set("Content-Type", "application/zip")
			_, _ = w.Write(a.Archive)
			return
		}
	}
	w.WriteHeader(http.StatusForbidden)
}
