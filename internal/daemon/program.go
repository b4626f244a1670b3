package daemon

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// maxComm is the maximum length of a process name including the newline
// (proc(5), /proc/pid/comm).
const maxComm = 16

// programOf is the name of a process. It is empty if the process is gone or in
// another PID namespace. Processes choose their names, so the name may contain
// any bytes.
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
