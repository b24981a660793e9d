// Package doctor looks at a project, at this machine and at the project's
// repository on GitHub, and says what will block which step, before any
// computing is paid for.
//
// # Design
//
// A check is one file (check_*.go) and one row of the table in doctor.go. It is a function
// of a Subject, which holds facts and a few small interfaces (Machine, GitHub),
// and gives findings: what is, which step it blocks, and the way out. The
// fakes are here too. A check that cannot look says so and blocks nothing.
//
// Whether a token may write is found by calls that GitHub has to refuse for
// their content (a status for a commit that does not exist, a pull request of
// a branch into itself), so that nothing comes of them: a lacking permission is
// answered by 403, and what is allowed by 422.
//
// # Rules of the outside world
//
//   - A pull request that was opened with GITHUB_TOKEN starts no workflow, so a
//     required status that a workflow would report stays expected for good:
//     https://docs.github.com/actions/security-for-github-actions/security-guides/automatic-token-authentication#using-the-github_token-in-a-workflow
//   - A job that asks for one permission has none of the others:
//     https://docs.github.com/actions/writing-workflows/workflow-syntax-for-github-actions#permissions
//   - Secrets, but for GITHUB_TOKEN, are not passed to workflows of pull requests
//     from forks, and their token only reads:
//     https://docs.github.com/actions/security-for-github-actions/security-guides/using-secrets-in-github-actions
//   - A job waits for a runner with all of its labels for up to 24 hours:
//     https://docs.github.com/actions/hosting-your-own-runners/managing-self-hosted-runners/using-self-hosted-runners-in-a-workflow
package doctor
