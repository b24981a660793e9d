package train

import (
	"context"
	"io"
	"syscall"
	"time"
)

// Executor runs the commands of a training somewhere: on this machine (Host), or
// in a container. Paths in a job are those of this machine; an executor that
// shows other ones to the command keeps them at the same place.
type Executor interface {
	// Identity names what the commands run in, "host" or the digest of an image.
	// It is part of every key.
	Identity() string
	// Run runs a job until no process of it is left. The error is about running
	// it at all, or ctx's; how the command fared is the ending.
	Run(ctx context.Context, j Job) (Ending, error)
	// Clear ends what a dead process of ours left running for a slot.
	Clear(slot string)
}

// Job is one command to run.
type Job struct {
	Program string        // for sh -c
	Dir     string        // working folder, written by the command
	Read    []string      // folders and files outside of it that the command reads
	Write   []string      // folders outside of it that the command writes
	Env     []string      // whole environment
	Slot    string        // unique while the job runs
	Network bool          // whether the command may reach other machines; Host cannot forbid it
	Log     io.Writer     // gets what the command prints
	Timeout time.Duration // 0: none
	Grace   time.Duration // between SIGTERM and SIGKILL
	Out     string        // folder that Quota is about; "" for none
	Quota   int64         // bytes
}

// Ending says how a job ended.
type Ending struct {
	Code      int            // exit status; -1 when killed by a signal
	Signal    syscall.Signal // that ended it, or 0
	TimedOut  bool
	OverQuota bool
	Strays    int // processes that were still there and were killed
}
