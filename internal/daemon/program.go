package daemon

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// maxComm is how long the kernel lets the name of a process be, with the line end
// (proc(5), /proc/pid/comm).
const maxComm = 16

// programOf is the name of a process, empty when it is not known: the process is gone,
// or of another PID namespace. It may hold any bytes, as processes name themselves.
func programOf(pid int32) string {
	if pid <= 0 {
		return ""
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	defer f.Close()
	name, _ := io.ReadAll(io.LimitReader(f, maxComm))
	return strings.TrimSuffix(string(name), "\n")
}
