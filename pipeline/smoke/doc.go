// Package smoke tests a running model server as its callers would use it.
//
// What is tested package serving starts and speaks to: the very image that
// ships in Docker, the same server as a child process, or one that runs
// already. The checks know a client and, of a server that this test started,
// its process; neither how it runs nor what it speaks.
//
// # Checks
//
// Each check is one file and one row of the table in check.go, and answers
// PASS, FAIL or INCONCLUSIVE with a sentence, or says why it was not run. The
// first, ready, decides whether there is anything to test. The last, sigterm,
// ends the server. A check never judges by a single noisy measurement: see
// check_latency.go.
//
// What a server says is data: it is quoted and shortened before it stands in a
// sentence. Load is sent only to what this test started or to a loopback
// address.
//
// # Rules of the outside world
//
// How a container is asked to stop, and what it may do meanwhile, is how
// Kubernetes does it: SIGTERM, finish what is in flight, exit with 0.
// https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
package smoke
