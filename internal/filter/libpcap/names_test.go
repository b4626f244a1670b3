package libpcap

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A nameless process is this test run again, confined, with an empty /etc. For each of
// expressions it reports why it does not compile, "" if it does.
const namelessName = "mapi-filter-nameless"

// nameless maps expressions to their errors without /etc/protocols and /etc/services.
var nameless = map[string]string{
	"ip proto gre":                    noProtocols,
	"ip proto nosuch":                 noProtocols,
	`ip proto \tcp`:                   noProtocols,
	`tcp port 80 or ip6 proto (\udp)`: noProtocols,
	"proto 47 or gre":                 noProtocols,
	"ip protochain gre":               noProtocols,
	"ip proto ipv6-icmp":              noProtocols,
	"port http":                       noServices,
	"tcp dst portrange ftp-ssh":       noServices,
	"tcp port 80 and not icmp":        "",
	"ip proto 47":                     "",
	"proto 0x2f or net 10.1 or tcp[13] & 2 != 0 or host 2001:db8::1": "",
	"ip protochain 50 or (udp and port 53)":                          "",
}

// compileNameless is the main of a nameless process.
func compileNameless() int {
	if err := unix.Mount("tmpfs", "/etc", "tmpfs", 0, ""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := confine(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	got := make(map[string]string)
	for expr := range nameless {
		got[expr] = ""
		if _, err := Compile(expr, 1); err != nil {
			got[expr] = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(got); err != nil {
		return 1
	}
	return 0
}

func TestCompileWithoutNames(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root for an /etc of its own")
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{namelessName, "1073741824", "600"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	cmd.Stderr = os.Stderr
	b, err := cmd.Output()
	if errors.Is(err, unix.EINVAL) {
		t.Skip("needs a root folder that is a mount point, which that of a chroot is not")
	}
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatalf("%v in %q", err, b)
	}
	for expr, want := range nameless {
		if (got[expr] == "") != (want == "") || !strings.HasSuffix(got[expr], want) {
			t.Errorf("%s: %q, want %q", expr, got[expr], want)
		}
	}
	// With the files, all expressions have a meaning, except the one with an unknown
	// name.
	for expr := range nameless {
		if _, err := Compile(expr, 1); err != nil && !strings.Contains(expr, "nosuch") {
			t.Error(err)
		}
	}
}
