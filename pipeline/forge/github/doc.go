// Package github keeps promotions, comments and statuses on GitHub.
//
// # Design
//
// Forge implements promote.Forge; what is done when is decided in package
// promote. Three things make a run that is killed anywhere, and then repeated,
// end where it would have ended: a branch moves only from the commit that was
// read (GraphQL updateRefs with beforeOid), a pull request is found by its
// branch and a comment by marker and author before either is made, and the
// state of a promotion stands in the trailers of its commit.
//
// Calls are repeated by transport where repeating cannot do harm: reads, calls
// that set something to a value, and every call that GitHub refused for its
// limits. Where a call may or may not have had its effect, the caller reads
// again before it tries again.
//
// Rules of the outside world:
//
//   - GitHub signs what an app commits through the Git Data API, as long as
//     neither author nor date is given; for a user's token it signs only
//     createCommitOnBranch. Since an author's date is then GitHub's, trees are
//     compared and not commit ids.
//     https://docs.github.com/authentication/managing-commit-signature-verification/about-commit-signature-verification
//   - createCommitOnBranch moves a branch. A promotion branch reset to its base
//     would close its pull request for good, so such commits are made on a
//     branch below dosirak/draft/ first.
//   - A user's name in GraphQL lacks the [bot] that it has in REST.
//   - The filter head of the pulls API is owner:branch; a bare branch matches
//     everything. https://docs.github.com/rest/pulls/pulls#list-pull-requests
//   - Every answer says how many calls are left. Limits are waited for, up to two
//     minutes each and ten in all, and said; a longer one ends the call with
//     the time. GraphQL refuses with status 200.
//     https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
package github
