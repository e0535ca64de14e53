package front

import (
	"os/exec"
	"syscall"
)

// canFreeze: a stopped process cannot notice that the front is gone, but here the system ends it then.
const canFreeze = true

// endWithParent makes the system kill the process when the one that starts it is gone.
func endWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
