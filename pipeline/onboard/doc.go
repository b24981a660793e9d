// Package onboard brings dosirak into a repository: it finds the projects that
// are there, tells which of them a change concerns, and writes the workflows
// for GitHub.
//
// # Design
//
// All of it is pure: from lists of files to lists of projects, from a handful
// of settings to the texts of the workflows. The workflows of this repository
// come from the same templates as those of its users, and a test holds them
// against each other.
//
// A workflow has no path filter. A required status whose workflow was filtered
// out is never reported and blocks the pull request for good
// (docs.github.com, "Troubleshooting required status checks"); the first job
// looks at what was changed instead.
package onboard
