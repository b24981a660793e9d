//go:build unix

package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// slotVariable marks every process of a job by its environment.
const slotVariable = "DOSIRAK_SLOT"

// job is one command to run.
type job struct {
	program string // for sh -c
	dir     string
	env     []string
	slot    string // value of slotVariable: unique while the job runs
	log     io.Writer
	timeout time.Duration // 0: none
	grace   time.Duration
	out     string // folder that quota is about; "" for none
	quota   int64  // bytes
}

// ending says how a job ended.
type ending struct {
	code      int            // exit status; -1 when killed by a signal
	signal    syscall.Signal // that ended it, or 0
	timedOut  bool
	overQuota bool
	strays    int // processes that were still there and were killed
}

// run runs the job until no process of it is left. The error is about running
// it at all, or ctx's; how the command fared is the ending.
func (j job) run(ctx context.Context) (ending, error) {
	if err := ctx.Err(); err != nil {
		return ending{}, err
	}
	// Pdeathsig is about the thread that forks, so the thread must stay.
	// https://github.com/golang/go/issues/27505
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	cmd := exec.Command("sh", "-c", j.program)
	cmd.Dir = j.dir
	cmd.Env = append(j.env, slotVariable+"="+j.slot, "PWD="+j.dir)
	cmd.SysProcAttr = processAttributes()
	// A pipe of our own: cmd.Wait would wait for whoever inherited its pipe.
	reader, writer, err := os.Pipe()
	if err != nil {
		return ending{}, fault.Environment(fmt.Errorf("running the command: %w", err))
	}
	cmd.Stdout, cmd.Stderr = writer, writer
	err = cmd.Start()
	writer.Close()
	if err != nil {
		reader.Close()
		return ending{}, fault.Environment(fmt.Errorf("starting sh: %w", err))
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(j.log, reader)
	}()
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()

	end, cause := j.watch(ctx, cmd.Process.Pid, exited)
	end.strays = j.sweep(cmd.Process.Pid)
	select {
	case <-copied:
	case <-time.After(2 * time.Second):
		// Whoever still holds the pipe could not be found.
	}
	reader.Close()
	<-copied
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	end.code = cmd.ProcessState.ExitCode()
	if status.Signaled() {
		end.signal = status.Signal()
	}
	return end, cause
}

// watch waits for the end of the command and brings it about when it must.
func (j job) watch(ctx context.Context, pid int, exited <-chan error) (ending, error) {
	var end ending
	var timeout <-chan time.Time
	if j.timeout > 0 {
		timer := time.NewTimer(j.timeout)
		defer timer.Stop()
		timeout = timer.C
	}
	pause := 100 * time.Millisecond
	look := time.NewTimer(pause)
	defer look.Stop()
	for {
		select {
		case <-exited:
			end.overQuota = j.out != "" && overQuota(j.out, j.quota)
			return end, nil
		case <-ctx.Done():
			j.terminate(pid, exited)
			return end, ctx.Err()
		case <-timeout:
			end.timedOut = true
			j.terminate(pid, exited)
			return end, nil
		case <-look.C:
			if j.out != "" && overQuota(j.out, j.quota) {
				end.overQuota = true
				j.terminate(pid, exited)
				return end, nil
			}
			pause = min(2*pause, time.Second)
			look.Reset(pause)
		}
	}
}

// terminate ends the process group: politely, then not.
func (j job) terminate(pid int, exited <-chan error) {
	signalGroup(pid, syscall.SIGTERM)
	deadline := time.NewTimer(j.grace)
	defer deadline.Stop()
	for gone := false; ; {
		select {
		case <-exited:
			gone, exited = true, nil
		case <-deadline.C:
			signalGroup(pid, syscall.SIGKILL)
			if !gone {
				<-exited
			}
			return
		case <-time.After(10 * time.Millisecond):
		}
		// The shell may go first while what it started still saves its work.
		if gone && !groupAlive(pid) {
			return
		}
	}
}

// sweep kills what is left of the job and returns how many processes it was.
func (j job) sweep(pid int) int {
	strays := 0
	if groupAlive(pid) {
		strays++
		signalGroup(pid, syscall.SIGKILL)
	}
	return strays + killMarked(j.slot)
}

func signalGroup(pid int, signal syscall.Signal) { _ = syscall.Kill(-pid, signal) }

// groupAlive reports whether the process group has members. Its number is not
// given to another process while it has.
func groupAlive(pid int) bool { return syscall.Kill(-pid, 0) == nil }

// overQuota adds up the sizes of the files below dir until they exceed quota.
func overQuota(dir string, quota int64) bool {
	var bytes int64
	errOver := errors.New("over")
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // files come and go while the trainer works
		}
		if info, err := d.Info(); err == nil {
			bytes += info.Size()
		}
		if bytes > quota {
			return errOver
		}
		return nil
	})
	return err != nil
}
