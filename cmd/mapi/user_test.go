package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gomapi/internal/tracegen"
)

// TestUnprivileged counts as a user without any rights: files work, devices do
// not.
func TestUnprivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	dir := t.TempDir()
	// The folders of tests are closed for others.
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "trace.pcap")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum, err := tracegen.Write(f, 3000, 2)
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(dir, "secret.pcap")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		code   int
		stdout string
		stderr string // a part
	}{
		{[]string{"-r", file}, exitDone, fmt.Sprintf("%d packets, %d bytes\n", sum.Packets, sum.Bytes), ""},
		{[]string{"--json", "-r", file, "tcp or (vlan and tcp)"}, exitDone, fmt.Sprintf(`"packets":%d,`, sum.TCP), ""},
		{[]string{"-d", "lo"}, exitRefused, "", "CAP_NET_RAW"},
		{[]string{"-r", secret}, exitRefused, "", "permission denied"},
	} {
		out, errs, code := asNobody(t, append([]string{"count"}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.stdout) || !strings.Contains(errs, c.stderr) {
			t.Errorf("%q: exit code %d, want %d\n%s\n%s", c.args, code, c.code, out, errs)
		}
		if c.stdout == "" && out != "" {
			t.Errorf("%q prints %q", c.args, out)
		}
	}
}

// asNobody runs mapi as a user without rights.
func asNobody(t *testing.T, args ...string) (stdout, stderr string, code int) {
	const nobody = 65534
	var out, errs strings.Builder
	cmd := exec.Command(filepath.Join(bin, "mapi"), args...)
	cmd.Dir = "/"
	cmd.Env = []string{"HOME=/nonexistent", "PATH=/usr/bin:/bin"}
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	err := cmd.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}
