// Package promote proposes a candidate as the next production model: one
// commit on one branch that changes one manifest, and, while the bundle is
// small enough for Git, adds its files and the evidence.
//
// # Design
//
// Plan is pure: from a decision it makes the branch name, the commit message,
// the files and the text of the pull request. Propose and Withdraw drive a
// Forge through a handful of calls; decide, a pure function of what they find
// there, says what to do:
//
//	base holds these very files            -> nothing to propose
//	branch holds somebody else's commit    -> stopped, and said
//	a human closed it for this bundle      -> declined, until reopened or labelled;
//	                                          what is open instead is withdrawn
//	branch proposes the same decision      -> unchanged
//	branch holds another decision of ours  -> replaced in place
//	no branch, or its commits are in base  -> created
//	the base branch no longer passes       -> withdrawn, with the reason
//
// The state lives in the commit: trailers of the branch's tip say what is
// proposed. Labels and bodies can be edited or lost; see release-please,
// docs/troubleshooting.md, for what happens to a state machine that lives
// there. A ref moves only from the value that was read (compare and swap).
// Nothing here ever merges.
package promote
