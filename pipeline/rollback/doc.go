// Package rollback proposes the return to a model that an environment ran
// before: one commit on one branch that puts the manifest of that time back,
// byte for byte. Merging it is the rollback.
//
// # Design
//
// Choose is pure: from the manifest's history on the base branch it finds the
// version that comes back. A history that was rolled back before is read as a
// stack, so that rolling back twice goes back twice: after A, B, C and a
// rollback to B, the next one leads to A, not to C again.
//
// Plan makes a proposal of the same kind as a promotion's, and Propose takes
// it through promote's forge: the same life, the same care for what humans
// do. One thing differs: a rollback that a human declined once may be asked for
// again, since each is asked for by a human.
//
// Only the manifest changes. The bundle that comes back has to be there
// still: a folder that somebody removed may have been removed for a reason, so
// it is not brought back unasked.
package rollback
