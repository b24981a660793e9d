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
	"slices"
	"syscall"
	"time"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// slotVariable marks every process of a job by its environment.
const slotVariable = "DOSIRAK_SLOT"

// Host runs commands on this machine.
type Host struct{}

var _ Executor = Host{}

// Identity is "host": what that is, the toolchain says.
func (Host) Identity() string { return "host" }

// Clear kills the processes that carry the slot's mark.
func (Host) Clear(slot string) { killMarked(slot) }

// Run runs the job as a process group.
func (Host) Run(ctx context.Context, j Job) (Ending, error) {
	if err := ctx.Err(); err != nil {
		return Ending{}, err
	}
	// Pdeathsig is about the thread that forks, so the thread must stay.
	// https://github.com/golang/go/issues/27505
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	cmd := exec.Command("sh", "-c", j.Program)
	cmd.Dir = j.Dir
	cmd.Env = append(slices.Clone(j.Env), slotVariable+"="+j.Slot, "PWD="+j.Dir)
	cmd.SysProcAttr = processAttributes()
	// A pipe of our own: cmd.Wait would wait for whoever inherited its pipe.
	reader, writer, err := os.Pipe()
	if err != nil {
		return Ending{}, fault.Environment(fmt.Errorf("running the command: %w", err))
	}
	cmd.Stdout, cmd.Stderr = writer, writer
	err = cmd.Start()
	writer.Close()
	if err != nil {
		reader.Close()
		return Ending{}, fault.Environment(fmt.Errorf("starting sh: %w", err))
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(j.Log, reader)
	}()
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()

	end, cause := j.watch(ctx, cmd.Process.Pid, exited)
	end.Strays = j.sweep(cmd.Process.Pid)
	select {
	case <-copied:
	case <-time.After(2 * time.Second):
		// Whoever still holds the pipe could not be found.
	}
	reader.Close()
	<-copied
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	end.Code = cmd.ProcessState.ExitCode()
	if status.Signaled() {
		end.Signal = status.Signal()
	}
	return end, cause
}

// watch waits for the end of the command and brings it about when it must.
func (j Job) watch(ctx context.Context, pid int, exited <-chan error) (Ending, error) {
	var end Ending
	var timeout <-chan time.Time
	if j.Timeout > 0 {
		timer := time.NewTimer(j.Timeout)
		defer timer.Stop()
		timeout = timer.C
	}
	pause := 100 * time.Millisecond
	look := time.NewTimer(pause)
	defer look.Stop()
	for {
		select {
		case <-exited:
			end.OverQuota = j.Out != "" && overQuota(j.Out, j.Quota)
			return end, nil
		case <-ctx.Done():
			j.terminate(pid, exited)
			return end, ctx.Err()
		case <-timeout:
			end.TimedOut = true
			j.terminate(pid, exited)
			return end, nil
		case <-look.C:
			if j.Out != "" && overQuota(j.Out, j.Quota) {
				end.OverQuota = true
				j.terminate(pid, exited)
				return end, nil
			}
			pause = min(2*pause, time.Second)
			look.Reset(pause)
		}
	}
}

// terminate ends the process group: politely, then not.
func (j Job) terminate(pid int, exited <-chan error) {
	signalGroup(pid, syscall.SIGTERM)
	deadline := time.NewTimer(j.Grace)
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
func (j Job) sweep(pid int) int {
	strays := 0
	if groupAlive(pid) {
		strays++
		signalGroup(pid, syscall.SIGKILL)
	}
	return strays + killMarked(j.Slot)
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
