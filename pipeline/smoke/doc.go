// Package smoke tests a running model server as its callers would use it.
//
// A Target starts something and gives an Instance, which is little more than
// a URL; the checks know nothing else. Container is the very image that ships,
// in Docker, without a route to anywhere, read-only, without capabilities,
// with bounds on memory and processes. Process is the same server as a child
// process, for machines without Docker. Address is a server that runs already.
//
// # Checks
//
// Each check is one file and one row of the table in check.go, and answers
// PASS, FAIL or INCONCLUSIVE with a sentence, or says why it was not run. The
// first, ready, decides whether there is anything to test. The last, sigterm,
// ends the server. A check never judges by a single noisy measurement: see
// latency.go.
//
// What a server says is data: it is read up to a limit, and quoted and
// shortened before it stands in a sentence. Redirects are not followed and no
// proxy is used, so nothing that is under test can point the test elsewhere.
//
// Load is sent only to what this package started or to a loopback address.
//
// # Rules of the outside world
//
// What callers send and expect is the Open Inference Protocol (V2) over REST:
// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
//
// How a container is asked to stop, and what it may do meanwhile, is how
// Kubernetes does it: SIGTERM, finish what is in flight, exit with 0.
// https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination
package smoke
