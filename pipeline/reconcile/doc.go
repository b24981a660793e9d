// Package reconcile brings what runs to what Git says. Git is the order: the
// manifest at the head of the base branch names a bundle and an image; the
// registries' aliases follow it, and the running endpoint is asked whether it
// has followed.
//
// # Design
//
// Run knows small interfaces only: Desired (what Git says now), Registry (an
// alias that others look up), Endpoint (what answers), Deployments and Issues
// (where people are told). An adapter is a package of its own; the fakes are
// here.
//
// Neither an OCI tag nor a model registry's alias can be set on condition of
// its present value, so two reconcilers may overwrite each other. What keeps
// them right is the order of reading: after whatever was written, the alias is
// read and then Git's head again, until they agree. Whoever writes last looks
// at Git after that, so the last writer is never one who followed an older
// head. The number of rounds is bounded.
//
// Every step sets a state or asks for one. Killed after any request and run
// again, Run ends where it would have ended; run again after that, it changes
// nothing.
//
// What cannot be told (a deployment, an issue) is a warning: whether things
// are in sync does not depend on whether people could be told.
//
// # Rules of the outside world
//
//   - A tag is set by putting the manifest under it; the specification knows no
//     condition for that:
//     https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
//   - An alias of MLflow's registry is set in the same unconditional way:
//     https://mlflow.org/docs/latest/api_reference/rest-api.html
package reconcile
