package fault

// What stands on the command line, in the config, and in the data.

var (
	BadCommand = declare("E0001", CommandLine, "The command line cannot be understood",
		"A command, a flag or an argument is unknown, missing, or stands beside another that contradicts it. The message names it, and the nearest right spelling where there is one.",
		"Look at the command's flags with `--help`, correct the line and type it again.")
	BadValue = declare("E0002", CommandLine, "A flag or an input has a value that it does not take",
		"The message names the flag (or, on GitHub, the action's input), the value that it got, and the values that it takes.",
		"Give one of the values that the message lists.")
	NoSuchRun = declare("E0003", CommandLine, "There is no such run",
		"A run is named by its id, the beginning or the end of it, or `latest`. In this project's .dosirak there is none of that name, or several begin or end like it; `dosirak gc` may have removed it. Another folder (-C) has runs of its own.",
		"See the runs with `dosirak runs list`, and name one of them; `dosirak run` makes a new one.")
	NoReport = declare("E0004", CommandLine, "There is no report to read",
		"The run did not come as far as its report, its folder was removed, or the file named is no report of this release: reports are read as data that anybody may have written, and what is not well-formed is refused.",
		"Name a run that ended with a verdict (`dosirak runs list`), or finish this one with `dosirak run --resume RUN`.")
)

var (
	ConfigAbsent = declare("E0101", Config, "There is no config",
		"No dosirak.yaml is in the folder that the command works in, nor in a folder above it up to the top of the repository, or --config names a file that is not there.",
		"Name the project's folder with -C or the file with --config, or write a dosirak.yaml there; `dosirak schema config` describes it.")
	ConfigInvalid = declare("E0102", Config, "The config does not fit together",
		"Keys of the config have values that they cannot have, lack a value that they need, or contradict each other. All problems are listed at once, each with line, column and key.",
		"Correct the lines that the message names. An editor that reads the JSON Schema of `dosirak schema config` shows such problems while you type.")
	ConfigSyntax = declare("E0103", Config, "The config is not YAML that can be read",
		"The file is no well-formed YAML, uses a feature that a config does not need (anchors, tags, several documents), holds a key twice, or is far too large.",
		"Correct the line that the message names; indentation by tabs and unquoted `: ` inside a value are the usual causes.")
	ConfigUnknownKey = declare("E0104", Config, "The config has a key that does not exist",
		"The config is read strictly, so that a misspelt key cannot be ignored silently. The message names the place of each unknown key and the key that is spelt most like it.",
		"Correct the spelling, or remove the key.")
	ConfigUnsupported = declare("E0105", Config, "The config uses what this release does not have yet",
		"The key belongs to the format, and the release that you run does not act on it; ignoring it would promise something that does not happen.",
		"Remove the key and do what the message names instead, or use a newer release.")
	UnknownEnvironment = declare("E0106", Config, "The environment is not one of the project's",
		"The environment that a command or an action's input names is not in promote.environments.",
		"Name one of the environments that the message lists, or add this one to promote.environments.")
	ConfigUnreadable = declare("E0107", Config, "The project or its config cannot be read",
		"The folder that -C names is no folder, or the config is a folder or a file that this user may not read.",
		"Correct -C, or the permissions of the file.")
	MarginTooWide = declare("E0108", Config, "A margin that cannot fail",
		"The margin is at least as wide as the metric's whole range, or as the value of the model in production: whatever the candidate does, it passes. Most often a percentage was written as a number, `margin: 2` for 2 %.",
		"Write a relative margin with its sign, such as `margin: 2%`, or an absolute one that is a loss you would accept, such as 0.01.")
	BadTemplate = declare("E0109", Config, "A command of the config cannot be filled in",
		"The command holds a placeholder in braces that has no value there, or a quote that is not closed.",
		"Use the placeholders that the message lists, such as {seed}, {data} and {out}; close the quote.")
	BadInputs = declare("E0110", Config, "train.inputs does not name the files of the training",
		"A pattern matches no file of the working copy, leads out of the project, or is no pattern. Files that Git ignores count only where they are named in full.",
		"Correct the pattern, or add the file to Git.")
)
