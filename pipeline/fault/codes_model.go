package fault

// What the trainer, its model and the bundle show.

var (
	TrainerFailed = declare("E0301", Training, "A command of yours failed",
		"train.setup or train.command ended with another exit code than 0, was killed, or took longer than train.timeout. The message names the seed and shows the line of the log that tells why, with the path of the whole log.",
		"Run the command by hand with the environment that the message names, and mend it. A replicate sees a copy of the project's folder, without the evaluation data.")
	NoModel = declare("E0302", Training, "The trainer wrote no model",
		"The command ended well, and the folder {out} (DOSIRAK_OUT) holds no model file and no MLflow model directory, or several files that may be the model. {out} is a folder; the model is a file in it.",
		"Let the trainer write exactly one model into the folder {out}, such as {out}/model.onnx.")
	ForbiddenData = declare("E0303", Training, "The training would see the evaluation data",
		"data.train is, lies in, or has the content of what data.eval withholds: a model must not be trained on the rows that it is judged by.",
		"Split the table, and name the two parts in data.train and data.eval.")
	TrainingDataAbsent = declare("E0304", Training, "The training data is not there",
		"The file or folder that data.train names does not exist in the working copy, or cannot be read.",
		"Correct data.train, or name in data.fetch the command that brings the data.")
	DataNotFetched = declare("E0309", Training, "The data could not be fetched",
		"data.fetch failed, or ended well and left no file (or a Git LFS pointer) where data.train or data.eval name one. The message shows what the command printed.",
		"Run the command by hand in the project's folder, with the same credentials, until it brings the files.")
	DataChanged = declare("E0310", Training, "The data is not what dosirak.lock names",
		"dosirak.lock holds the digests of the data of this commit. The source of data.fetch has something else today, or a file was changed by hand since it was fetched.",
		"Restore the source, or remove the changed file, and run again. To accept new data: `dosirak fetch --update`, and commit dosirak.lock.")
	DataLockInvalid = declare("E0311", Training, "dosirak.lock cannot be read",
		"The file is not the JSON that dosirak writes: it was edited, or a merge left its marks in it.",
		"Restore it from Git, or write it anew with `dosirak fetch --update`.")
	WorkingCopy = declare("E0305", Training, "The working copy of a replicate cannot be made",
		"Each replicate is trained in a copy of the project's folder. A link leads out of it, a file is no plain file, or the project changed while it was copied.",
		"Put the file into the project, let Git ignore the link, or run again when nothing writes there.")
	HandoffMismatch = declare("E0307", Training, "A training from elsewhere does not fit",
		"The folder of `run --trained`, or one that is gathered, is of another model or commit, lacks a seed of the config, holds one twice, or was made with changes that were not committed.",
		"Train the missing seeds at the commit that is judged (`dosirak train --seed N --out FOLDER`), and gather folders of one commit only.")
	HandoffDamaged = declare("E0308", Training, "A training from elsewhere cannot be read",
		"training.json is missing or not well-formed, or a file that it names is missing or does not have the size and digest that it names. Such a folder is data that anybody may have made.",
		"Name a folder that `dosirak train --out` or `dosirak gather` wrote, and carry it whole.")
	MetricCommandFailed = declare("E0306", Training, "The command of a metric failed",
		"A metric with `command` ends with an exit code other than 0, or prints something else than one number a row (or one for all rows).",
		"Run the command by hand on a predictions file, and let it print what `dosirak schema config` says of metrics.command.")
)

var (
	ModelUnreadable = declare("E0401", Model, "The model cannot be sealed",
		"The file is in no format that the model server reads, is damaged or empty, uses an operator that it does not know, or is a pickle, which is never loaded since loading one runs code. The message names the exporter that writes what is read.",
		"Export the model as the message says (for scikit-learn: skl2onnx's to_onnx), and write that file to {out}.")
	BadBundle = declare("E0402", Model, "The folder is no bundle",
		"A bundle is the folder that `dosirak seal` and promotions write: bundle.json names each file with its digest. A file is missing, was changed, or the folder is another.",
		"Name the bundle's folder, restore it from the commit that promoted, or seal the model again with `dosirak seal`.")
)

var (
	InputsDoNotFit = declare("E0403", Model, "The model does not fit the table",
		"The model takes other inputs than the table has columns: a name is missing, the number or the order of the columns is another, or the label is among them. The message names the input and the columns that nothing takes.",
		"Train and evaluate with the same columns; where the model takes its columns by their place, name them in its order in data.features.")
	OutputsDoNotFit = declare("E0404", Model, "The model's outputs do not fit the task",
		"A binary or multiclass task needs classes or probabilities, a regression a number a row, with one answer for each row. The message lists the outputs that the model has.",
		"Export the model with the outputs of the task (for scikit-learn: zipmap off, with probabilities), or correct task.")
	BadAnswer = declare("E0405", Model, "The model answers what cannot be judged",
		"An answer is no probability, probabilities do not sum to 1, or a class is none of the model's own. The message names the row.",
		"Let the model apply a sigmoid or softmax, and check the training for values that are not finite.")
	AnswersDiffer = declare("E0406", Model, "The sealed model does not give its own answers",
		"What was sealed is opened and asked as every server asks it, and it failed or answered otherwise than a moment before: such a model cannot be served.",
		"Look for randomness in the exported graph, and export the model again.")
	BadClaim = declare("E0312", Training, "The trainer's predictions cannot be held against the model",
		"predictions.csv beside the model says what the model that was trained predicts of rows of the training table. It cannot be read, names rows or classes that are not there, or lacks a column.",
		"Write the columns that the message names, or leave the file out: then nothing is compared.")
)
