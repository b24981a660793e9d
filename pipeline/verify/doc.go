// Package verify holds a manifest against what can be computed anew.
//
// # What is verified
//
// A manifest that the base branch has already is in force: its evidence is
// held against its digests, and the kept predictions are compared again.
//
// A manifest that the base branch does not have is a proposal, and a change may
// not grade its own exam. So nothing that the change brings decides:
//
//   - The base branch's config and evaluation rows are the exam. One that
//     differs does not hold; where production was promoted by another exam than
//     the base branch's, a person has to have acknowledged it.
//   - The base branch's manifest says what is in production: that, and nothing
//     else, is what the proposal replaces, compares with and is anchored to. A
//     later environment takes the bundle that the one before it runs.
//   - The bundles of the change and of production answer the rows again, with
//     the native engine, and what they say is what is compared. Kept
//     predictions and numbers only have to agree with it.
//   - The golden examples of the bundle are asked again.
//
// What nobody can compute anew without training or starting the image (the
// proof of reproduction, the smoke test) is the evidence's word. It is marked
// as claimed, it has to be there and to pass, and it makes nothing pass that
// the answers do not.
//
// A proposal with the very text of an earlier manifest of the base branch is a
// rollback: it was verified when it came, and its bundle has to be there
// still. One that was rolled back before needs a person's acknowledgement to
// come again. A first manifest without evidence is an adoption: the model that
// runs was judged by nobody, so a person has to say that it is what runs; that
// is INCONCLUSIVE until then, and never a PASS.
//
// Models of a change are hostile: they are opened with the limits of package
// bundle and answered by an engine that runs no code of theirs.
package verify
