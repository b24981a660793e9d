package fault

// What stands between a verdict and production: Git, the manifest, GitHub.

var (
	ShallowClone = declare("E0509", Git, "The clone lacks a commit that is needed",
		"The clone is shallow, or did not fetch the branch: an older config, manifest or table cannot be read.",
		"Fetch the whole history with `git fetch --unshallow`; in a workflow, give actions/checkout `fetch-depth: 0`.")
	NoRepository = declare("E0505", Git, "There is no Git repository",
		"The command needs one: a promotion is a commit, Git's history says what ran, and its head says what is to run. The folder is in no repository, or git is not installed.",
		"Name a folder of the repository with -C, clone the project with Git, or run without --promote.")
	NoCommit = declare("E0506", Git, "The repository has no commit",
		"What is promoted is trained from a commit, and there is none yet.",
		"Commit the project first.")
	DirtyTree = declare("E0507", Git, "The work tree differs from the commit",
		"What is promoted is trained from a commit, so that anybody can train it again; files were changed, or are there without being committed or ignored. The message names the first.",
		"Commit or stash the changes, or let Git ignore the files, then run again.")
	NotOnBase = declare("E0508", Git, "The commit is not on the base branch",
		"What is promoted is trained from the branch that promote.base names, since that is what others review and build upon.",
		"Merge the change first, or run without --promote.")
	NoBaseBranch = declare("E0501", Git, "The base branch does not exist",
		"promote.base (or the branch that GitHub was asked for) is not in this repository: the branch has another name, or this clone did not fetch it.",
		"Name the right branch in promote.base, or fetch it with `git fetch origin BRANCH`.")
	BranchCheckedOut = declare("E0502", Git, "The promotion's branch is checked out",
		"A work tree, here or linked, stands on the branch that the promotion would move; moving it would leave that work tree behind.",
		"Switch that work tree to another branch, then promote again.")
	BranchMoved = declare("E0503", Git, "Somebody else moved the branch",
		"While the promotion was made, another commit arrived at the base branch or at the promotion's branch.",
		"Run the command again; where it keeps happening, look who else writes there.")
	BranchNameTaken = declare("E0504", Git, "A branch name leaves no room",
		"Git keeps branches like files: a branch named dosirak or dosirak/promote forbids dosirak/promote/MODEL/ENVIRONMENT.",
		"Rename that branch.")
)

var (
	ExamDiffers = declare("E0608", Promotion, "The exam is not the one that production was promoted by",
		"Data, metrics, margins, slices or another part of what decides a verdict was changed: a change may not grade its own exam. The report shows each difference and the verdict by the old exam.",
		"Look at the differences; a person who accepts them promotes with --acknowledge-exam (on GitHub: the label).")
	NothingPromoted = declare("E0609", Promotion, "The environment runs nothing yet",
		"There is no manifest for the environment on the base branch, or it names no evidence since its model was adopted.",
		"Promote a run first: `dosirak run --promote`.")
	EarlierFirst = declare("E0610", Promotion, "An earlier environment runs nothing yet",
		"A later environment takes the bundle of the one before it in promote.environments, judged again and never trained anew.",
		"Promote to the earlier environment first.")
	MovedOn = declare("E0611", Promotion, "The project is not what the run was of",
		"A run is promoted as what it was: its config, environment, commit, training files, data, and the production that it was compared with. The message names what is another one now.",
		"Run again with `dosirak run`, and promote that; or go back to the commit of the run.")
	NoVerdict = declare("E0612", Promotion, "The run has no verdict",
		"The run was interrupted or failed before its report, so there is nothing to promote.",
		"Finish it with `dosirak run --resume RUN`, or run again.")
	ManifestInvalid = declare("E0601", Promotion, "The manifest cannot be read",
		"The manifest of the environment is no manifest of this release: it was edited by hand, merged badly, or written by a newer release. The message names the line.",
		"Restore it from the commit that promoted (`git log` of the file), or use the release that wrote it.")
	TooLarge = declare("E0602", Promotion, "Bundle and evidence are too large for Git",
		"Up to 10 MB of bundle and evidence go into Git with the manifest; this model and its evaluation need more.",
		"Make the model or the evaluation data smaller, or name a repository for images in serve.repository.")
	AlreadyAdopted = declare("E0603", Promotion, "The environment has a manifest already",
		"`adopt` writes the first manifest of an environment; this one says already what runs.",
		"Promote a change with `dosirak run --promote`, or go back with `dosirak rollback`.")
	NothingToRollBack = declare("E0604", Promotion, "There is no such model to return to",
		"The history of the manifest on the base branch does not hold the bundle that --to names, several begin with the same digits, or nothing ran before. A shallow clone holds only a part of the history.",
		"Look at `git log` of the manifest for what ran, and name its digest with --to; fetch the whole history with `git fetch --unshallow`.")
)

var (
	NoToken = declare("E0801", GitHub, "There is no token for GitHub",
		"GITHUB_TOKEN is not set, or GITHUB_REPOSITORY and GITHUB_API_URL do not name a repository and an API.",
		"In a workflow, pass `${{ github.token }}`; elsewhere, set GITHUB_TOKEN and GITHUB_REPOSITORY (owner/name).")
	TokenRefused = declare("E0802", GitHub, "GitHub does not accept the token",
		"The token has expired, was revoked, or is not authorised for the organisation's single sign-on.",
		"Pass a token that is valid: `${{ github.token }}` in a workflow.")
	MissingPermission = declare("E0803", GitHub, "The token lacks a permission",
		"GitHub refuses the call, or says that what is there is not (404), which it does for what a token may not see. The message names the permission.",
		"Give the job the permission under `permissions:` in the workflow; `dosirak doctor` shows all that are missing at once.")
	RateLimited = declare("E0804", GitHub, "The token has used up its calls",
		"GitHub limits how many calls a token may make an hour, and how fast it may write.",
		"Run again at the time that the message names, or let fewer jobs run at once.")
	GitHubUnreachable = declare("E0805", GitHub, "GitHub cannot be reached",
		"The network, a proxy, or GitHub itself failed; the message has the address and the answer.",
		"Run again; https://www.githubstatus.com tells of disruptions.")
	RefusedByRule = declare("E0806", GitHub, "A setting of the repository forbids it",
		"A rule protects the branch, the repository is archived, the conversation is locked, or workflows may not open pull requests.",
		"Change the setting that the message names, or use a token whose owner the rule lets bypass it.")
	ArtifactAbsent = declare("E0807", GitHub, "The workflow run left no training to judge",
		"The artifact with the models is missing, has expired, or is of another run or commit than the event tells.",
		"Look in that run why its jobs did not train, and run it again.")
	ArtifactRefused = declare("E0808", GitHub, "An artifact is refused",
		"Artifacts are data that anybody may have made: sizes, names, paths and digests are checked before anything is unpacked, and this one does not hold.",
		"Run the workflow that made it again; where it is refused again, look at what the change writes into it.")
	WrongEvent = declare("E0809", GitHub, "The workflow's event does not fit the action",
		"The action needs an event that is about a change (pull_request, workflow_run, merge_group, push), and the event's file does not describe one.",
		"Use the action in a workflow on one of the events that the message names; `dosirak init --github` writes workflows that do.")
)

var (
	ManifestOfAnother = declare("E0605", Promotion, "The manifest is of another model or environment",
		"promote.manifest leads to a manifest that names another model or another environment than the config does: two models share a path, or the file was copied.",
		"Correct promote.manifest (it takes {environment}), or the manifest.")
	BundleGone = declare("E0606", Promotion, "The bundle of production is gone or damaged",
		"The manifest names a bundle by digest, and the folder where it should be is missing on the base branch, does not open, or has another digest.",
		"Restore the folder from the commit that promoted it: `git log` of the manifest shows which.")
	EvidenceChanged = declare("E0607", Promotion, "The evidence of production is gone or was changed",
		"The exam, the report or the predictions that the manifest names by digest are missing or not the ones that promoted.",
		"Restore the folder of the evidence from the commit that promoted.")
)
