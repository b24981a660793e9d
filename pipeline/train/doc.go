// Package train runs the user's training command, once for each seed, and
// proves that the same seed gives the same model.
//
// # The trainer's contract
//
// docs/trainer.md is the contract for people. The command writes one model file,
// or an MLflow model directory, to the folder {out}. Optional there: params.json,
// metrics.json, history.jsonl (one object a step). It gets DOSIRAK_SEED,
// DOSIRAK_DATA, DOSIRAK_OUT, DOSIRAK_RUN_ID, PYTHONHASHSEED (the seed modulo
// 2^32, all that Python takes:
// https://docs.python.org/3/using/cmdline.html#envvar-PYTHONHASHSEED), its share
// of the cores (see threadVariables), and DOSIRAK_ENV with a setup, whose bin is
// then first on PATH. Nothing to import. HOME, GOFLAGS and the like stay the
// user's, so caches work.
//
// The command is run by sh -c. A placeholder never becomes program text: it is
// replaced by a quoted reference to the variable that holds the value, so no
// path or name can change what is run (see program).
//
// # Working copies
//
// The project is copied once when training begins, so that an edit during the
// training cannot make replicates differ, and from there once for each
// replicate: the inputs where they are named (with lock files, the training data
// and what their links lead to), else the files that Git tracks or would track
// without what dosirak itself writes or reads. The evaluation data is in no copy,
// the training data in each, over links and even where Git ignores it. There is
// no .git in it. What a copy holds is what the key covers: a file that nobody
// named cannot be read, so it cannot change a model unseen. The copy keeps the
// trainer from meeting the evaluation data by accident; it is no sandbox: a
// trainer that goes looking for the original can find it.
//
// # Processes
//
// An Executor runs the commands; Host, on this machine, is the one that there is.
// A trainer runs in a session of its own, without a terminal, so that a question
// (a password, a credential) fails at once instead of waiting for nobody. Its
// process group is ended with SIGTERM and after a grace with SIGKILL; on Linux it also dies with this process
// (PR_SET_PDEATHSIG, https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html).
// Whatever it leaves behind, also in another session, is found by a variable
// in its environment and killed when the replicate ends, or, after a kill -9
// of this process, when its slot is used again. Not covered: a process that
// leaves the group and also clears its environment, and on systems without
// /proc one that leaves the group.
//
// # Reuse
//
// A replicate is stored under the digest of all that it depends on: command,
// seed, contents of the inputs, lock files, training data, setup, platform,
// executor, interpreters with what is installed for them (package toolchain), and
// the number of threads. Unchanged means reused, and said. Its outputs are
// verified when they are read; damaged ones are trained anew.
//
// # Failures
//
// A command that fails is told with the lines of its log that hold the error
// (see excerpt) and, where its log names a difference between the project's
// folder and a working copy, with what to do about it (see failing).
package train
