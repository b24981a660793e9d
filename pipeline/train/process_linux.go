package train

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// killMarked kills every process that was started with the slot's variable,
// whatever its group or session, and returns how many there were. It looks
// again until there are none, for they may be forking.
func killMarked(slot string) int {
	mark := []byte("\x00" + slotVariable + "=" + slot + "\x00")
	killed := map[int]bool{}
	for range 20 {
		found := false
		for _, pid := range processes() {
			environ, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
			if err != nil || len(environ) == 0 || pid == os.Getpid() {
				continue // not ours, gone, or a zombie
			}
			if bytes.Contains(append([]byte{0}, environ...), mark) {
				found = true
				killed[pid] = true
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		if !found {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	return len(killed)
}

func processes() []int {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
