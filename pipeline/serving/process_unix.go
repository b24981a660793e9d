//go:build unix && !linux

package serving

import "syscall"

// processAttributes gives a child a group of its own, so that Ctrl-C at the
// terminal reaches it through us only.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
