package acceptance

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/testenv"
	"gomapi/mapi"
)

// roleVariable makes the test binary a program of another user, see asUser.
const roleVariable = "ACCEPTANCE_ROLE"

// roles are what programs of other users do. They print what they have got, and keep it until
// their input ends.
var roles = map[string]func(ctx context.Context, socket string){
	"connections":   takeConnections,
	"buffers":       func(ctx context.Context, s string) { take(ctx, s, "TO_BUFFER") },
	"distributions": takeDistributions,
	"patterns":      takePatterns,
	"flows":         takeFlows,
	"files":         takeFiles,
	"little":        takeLittle,
}

// play plays the role of the environment, if there is one.
func play() (played bool) {
	role, ok := roles[os.Getenv(roleVariable)]
	if ok {
		role(context.Background(), os.Getenv("MAPI_SOCKET"))
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
	return ok
}

// report prints how much was got until err.
func report(n int, err error) {
	var e *mapi.Error
	code := 0
	if errors.As(err, &e) {
		code = int(e.Code)
	}
	fmt.Printf("%d %d %s\n", n, code, strings.ReplaceAll(fmt.Sprint(err), "\n", " "))
}

// connectTo makes a client that also talks to a daemon whose user does not exist in its user
// namespace.
func connectTo(socket string) *mapi.Client {
	return &mapi.Client{Dial: func(context.Context) (*net.UnixConn, error) {
		return net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: socket, Net: "unixpacket"})
	}}
}

// loopback is the device of these tests.
const loopback = "lo"

// takeLittle makes a flow that counts.
func takeLittle(ctx context.Context, socket string) {
	_, err := count(ctx, connectTo(socket), loopback, "udp")
	report(0, err)
}

func takeConnections(ctx context.Context, socket string) {
	var err error
	n := 0
	for ; err == nil; n++ {
		_, err = connectTo(socket).Libraries(ctx)
	}
	report(n-1, err)
}

// take applies a function to one new flow after the other.
func take(ctx context.Context, socket, name string, args ...any) {
	c := connectTo(socket)
	for n := 0; ; n++ {
		f, err := c.CreateFlow(ctx, loopback)
		if err == nil {
			_, err = f.Apply(ctx, name, args...)
		}
		if err != nil {
			report(n, err)
			return
		}
	}
}

// takeDistributions makes results of 128 KiB.
func takeDistributions(ctx context.Context, socket string) {
	for n := 0; ; n++ {
		c := connectTo(socket) // each connection has a bound of its own
		f, err := c.CreateFlow(ctx, loopback)
		var length *mapi.Function
		if err == nil {
			length, err = f.Apply(ctx, "PKTINFO", mapi.PktSize)
		}
		for range 100 {
			if err == nil {
				_, err = f.Apply(ctx, "DIST", length, "0", "16384", "1")
			}
			if err != nil {
				report(n, err)
				return
			}
			n++
		}
	}
}

func takePatterns(ctx context.Context, socket string) {
	c := connectTo(socket)
	for n := 0; ; n++ {
		f, err := c.CreateFlow(ctx, loopback)
		if err == nil {
			_, err = f.Apply(ctx, "STR_SEARCH", strings.Repeat("many needles||", 1000)+strconv.Itoa(n), 0, 0)
		}
		if err != nil {
			report(n, err)
			return
		}
	}
}

func takeFlows(ctx context.Context, socket string) {
	c := connectTo(socket)
	for n := 0; ; {
		f, err := c.CreateFlow(ctx, loopback)
		for i := 0; i < 250 && err == nil; i++ {
			_, err = f.Apply(ctx, "GAP")
			n++
		}
		if err == nil {
			err = f.Connect(ctx)
		}
		if err != nil {
			report(n, err)
			return
		}
	}
}

// takeFiles makes offline devices of an empty capture file.
func takeFiles(ctx context.Context, socket string) {
	name := filepath.Join(os.TempDir(), fmt.Sprintf("empty-%d.pcap", os.Getpid()))
	defer os.Remove(name)
	head := "\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x01\x00\x00\x00"
	err := os.WriteFile(name, []byte(head), 0o600)
	n := 0
	for ; err == nil; n++ {
		_, err = connectTo(socket).CreateOfflineDevice(ctx, name, mapi.FormatPCAP)
	}
	report(n-1, err)
}

// A foreigner is a process of another user.
type foreigner struct {
	cmd  *exec.Cmd
	in   io.Closer
	n    int // what it has got
	code int // of the error that has ended it
	text string
}

// asUser runs a role as another user, behind a command if there is one, and returns when it has
// got what it can. It keeps that until end, or the end of the test.
func (d *mapid) asUser(uid int, role string, command ...string) *foreigner {
	d.t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(d.socket, &st); err != nil {
		d.t.Fatal(err)
	}
	command = append(command, "/proc/self/exe")
	if len(command) > 1 {
		command[len(command)-1] = readableSelf(d.t)
	}
	p := &foreigner{cmd: exec.Command(command[0], command[1:]...)}
	p.cmd.Env = append(os.Environ(), roleVariable+"="+role, "MAPI_SOCKET="+d.socket, "TMPDIR=/tmp")
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:  syscall.SIGKILL,
		Credential: &syscall.Credential{Uid: uint32(uid), Gid: st.Gid},
	}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		d.t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(p.end)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		d.t.Fatalf("%s as user %d: %v", role, uid, err)
	}
	if _, err := fmt.Sscan(line, &p.n, &p.code); err != nil {
		d.t.Fatalf("%s as user %d: %q: %v", role, uid, line, err)
	}
	p.text = strings.TrimSpace(line)
	return p
}

// end kills the program.
func (p *foreigner) end() {
	if p.cmd.ProcessState == nil {
		p.in.Close()
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// readableSelf returns a copy of the test binary that all users can execute.
func readableSelf(t *testing.T) string {
	t.Helper()
	name := filepath.Join(binaries, "self")
	if _, err := os.Stat(name); err == nil {
		return name
	}
	data, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(name, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// limited runs a daemon with limits, as root.
func limited(t *testing.T, limits string) *mapid {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: programs of several users")
	}
	conf := filepath.Join(t.TempDir(), "mapi.conf")
	text := "[driver]\ndevice=lo\ndriver=mapinicdrv\nring_mb=1\nblock_kb=64\n[format]\nformat=MFF_PCAP\ndriver=mapinicdrv\n[limits]\n" + limits
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, "--config", conf)
}

// Users of these tests.
const (
	attacker  = 20001
	bystander = 20009
)

// works checks that a user who has nothing yet, and root, can set up a flow.
func (d *mapid) works() {
	d.t.Helper()
	if _, err := count(d.t.Context(), d.client(), loopback, "udp"); err != nil {
		d.t.Errorf("root: %v", err)
	}
	p := d.asUser(bystander, "little")
	if p.text != "0 0 <nil>" {
		d.t.Errorf("a user who has nothing: %s", p.text)
	}
	p.end()
}

// resident returns the memory of the daemon in MiB.
func (d *mapid) resident() (mib int) {
	d.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			_, _ = fmt.Sscan(rest, &mib)
		}
	}
	return mib >> 10
}

// TestMemoryOfAUser lets a user take as much memory as possible in several ways. It is refused
// in words, the daemon stays below what all may have, and others are not affected.
func TestMemoryOfAUser(t *testing.T) {
	d := limited(t, "memory=64M\nuser_memory=32M\n")
	before := d.resident()
	for role, codes := range map[string][]mapi.Code{
		"distributions": {mapi.ErrMemory}, "patterns": {mapi.ErrMemory}, "flows": {mapi.ErrMemory},
		"buffers": {mapi.ErrMemory}, "files": {mapi.ErrFile, mapi.ErrAuthFailed},
	} {
		p := d.asUser(attacker, role)
		ok := false
		for _, c := range codes {
			ok = ok || p.code == int(c)
		}
		if !ok || p.n < 1 || !strings.Contains(p.text, "user 20001 has ") || !strings.Contains(p.text, "user_memory in mapi.conf") {
			t.Errorf("%s: %s", role, p.text)
		}
		if now := d.resident(); now > before+64 {
			t.Errorf("%s: the daemon has %d MiB, %d before", role, now, before)
		}
		d.works()
		p.end()
	}
	root := d.client()
	testenv.Until(t, "everything is given back", func() bool {
		users, _, err := root.Users(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(users) == 1 // root
	})
}

// TestLastPlace lets four users take all connections, or all packet buffers, together: they do
// not get the last ones.
func TestLastPlace(t *testing.T) {
	d := limited(t, "connections=160\nuser_connections=80\nbuffers=160\nuser_buffers=80\nmemory=2G\nuser_memory=1G\n")
	for role, code := range map[string]mapi.Code{"connections": mapi.ErrAuthFailed, "buffers": mapi.ErrMemory} {
		var all []*foreigner
		sum := 0
		for i := range 4 {
			p := d.asUser(attacker+i, role)
			all, sum = append(all, p), sum+p.n
			if p.code != int(code) || !strings.Contains(p.text, role+" in mapi.conf") {
				t.Errorf("%s of user %d: %s", role, i, p.text)
			}
		}
		if sum < 120 || sum > 160 {
			t.Errorf("four users have %d %s", sum, role)
		}
		d.works()
		for _, p := range all {
			p.end()
		}
	}
}

// TestSubUsers lets a user take connections as users of a user namespace: all are on one account.
func TestSubUsers(t *testing.T) {
	d := limited(t, "connections=200\nuser_connections=20\n")
	p := d.asUser(attacker, "connections")
	if p.n != 20 {
		t.Fatalf("%d connections: %s", p.n, p.text)
	}
	sub := d.asUser(attacker, "connections", "unshare", "--user", "--map-root-user")
	if sub.n != 0 || !strings.Contains(sub.text, "user 20001 has 20 connections") {
		t.Errorf("in a namespace: %s", sub.text)
	}
	d.works()
}
