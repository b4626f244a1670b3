package principal

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The test binary connects to this socket when the variable is set, and waits.
const connectTo = "PRINCIPAL_TEST_SOCKET"

func TestMain(m *testing.M) {
	if path := os.Getenv(connectTo); path != "" {
		connect(path)
		return
	}
	os.Exit(m.Run())
}

// connect becomes the user in the arguments, connects, and stays until its input ends.
func connect(path string) {
	if uid, err := strconv.Atoi(os.Args[1]); err == nil {
		if err := unix.Setresuid(uid, uid, uid); err != nil {
			panic(err)
		}
	}
	c, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		panic(err)
	}
	_, _ = os.Stdin.Read(make([]byte, 1))
	c.Close()
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: processes of other users")
	}
}

// listen makes a socket in a directory that everybody can enter.
func listen(t *testing.T) *net.UnixListener {
	t.Helper()
	dir, err := os.MkdirTemp("", "principal")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	for _, p := range []string{dir, path} {
		if err := os.Chmod(p, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// accept runs the test binary behind a command, calls ready with its process number before it
// connects, lets it become uid ("" for none), and returns its principal.
func accept(t *testing.T, l *net.UnixListener, ready func(pid int), uid string, command ...string) Principal {
	t.Helper()
	self := copyOfSelf(t, filepath.Dir(l.Addr().String()))
	// The shell waits: only a process that begins when its user is mapped has rights in its namespace.
	cmd := exec.Command(command[0], append(command[1:], "sh", "-c", `echo ready; read uid; exec "$0" "$uid"`, self)...)
	cmd.Env = append(os.Environ(), connectTo+"="+l.Addr().String())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); _ = cmd.Wait() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the process says %q, %v", line, err)
	}
	ready(cmd.Process.Pid)
	fmt.Fprintln(in, uid)
	c, err := l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p, err := Of(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// copyOfSelf makes the test binary readable for all users.
func copyOfSelf(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "self")
	data, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(name, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func nothing(int) {}

// as runs commands as a user who has only one supplementary group.
func as(uid int, command ...string) []string {
	id := strconv.Itoa(uid)
	return append([]string{"setpriv", "--reuid=" + id, "--regid=" + id, "--groups=4711"}, command...)
}

func TestPlainUser(t *testing.T) {
	needRoot(t)
	p := accept(t, listen(t), nothing, "", as(12345)...)
	if p.UID != 12345 || p.GID != 12345 || p.Payer != 12345 || !slices.Equal(p.Groups, []uint32{4711}) || p.PID <= 0 || p.Comm != "self" {
		t.Errorf("%+v", p)
	}
	if p.Way != ByNamespace {
		t.Errorf("the payer was found by %s", p.Way)
	}
}

// mapUsers gives a process in a user namespace the users from outside on as 1, 2, ...
func mapUsers(t *testing.T, owner, outside int) func(pid int) {
	return func(pid int) {
		text := fmt.Sprintf("0 %d 1\n1 %d 1000\n", owner, outside)
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/uid_map", pid), []byte(text), 0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSubUser connects as a user that only exists in a user namespace: its owner pays, also in a
// namespace within the namespace.
func TestSubUser(t *testing.T) {
	needRoot(t)
	l := listen(t)
	p := accept(t, l, mapUsers(t, 12345, 231072), "7", as(12345, "unshare", "--user")...)
	if p.UID != 231078 || p.Payer != 12345 || p.Way != ByNamespace {
		t.Errorf("a user of a namespace: %+v", p)
	}
	p = accept(t, l, nothing, "", as(12345, "unshare", "--user", "--map-root-user", "unshare", "--user", "--map-root-user")...)
	if p.UID != 12345 || p.Payer != 12345 || p.Way != ByNamespace {
		t.Errorf("a user of a nested namespace: %+v", p)
	}
}

func TestSubUIDs(t *testing.T) {
	name := filepath.Join(t.TempDir(), "subuid")
	text := "# comment\nnobody_knows_this:100000:65536\nroot:200000:65536\n4242:265536:10\nbroken\n9:x:y\nroot:4294967290:10\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for uid, want := range map[uint32]int{99999: -1, 100000: -1, 200000: 0, 265535: 0, 265536: 4242, 265545: 4242, 265546: -1, 1<<32 - 1: 0} {
		owner, ok := subUIDs(name).owner(uid)
		if ok != (want >= 0) || ok && owner != uint32(want) {
			t.Errorf("%d belongs to %d, %v; want %d", uid, owner, ok, want)
		}
	}
	if _, ok := subUIDs(name + "missing").owner(200000); ok {
		t.Error("a missing file has an owner")
	}
}

// TestManyGroups has more groups than fit at first.
func TestManyGroups(t *testing.T) {
	needRoot(t)
	var list []string
	for g := range 200 {
		list = append(list, strconv.Itoa(1000+g))
	}
	p := accept(t, listen(t), nothing, "", "setpriv", "--groups="+strings.Join(list, ","))
	if len(p.Groups) != 200 || p.Groups[199] != 1199 {
		t.Errorf("%d groups: %v", len(p.Groups), p.Groups)
	}
}

// TestEndedProcess connects and ends before it is looked at. This is no lack of a right.
func TestEndedProcess(t *testing.T) {
	needRoot(t)
	l := listen(t)
	cmd := exec.Command(copyOfSelf(t, filepath.Dir(l.Addr().String())), "12345") // ends with its empty input
	cmd.Env = append(os.Environ(), connectTo+"="+l.Addr().String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c, err := l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p, err := Of(c)
	if err != nil || p.UID != 12345 || p.Payer != 12345 || p.Way != ByUID || p.Blind {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestNames looks up users and groups, by name and number.
func TestNames(t *testing.T) {
	for name, want := range map[string]uint32{"root": 0, "0": 0, "4294967294": 4294967294} {
		if id, err := User(name); err != nil || id != want {
			t.Errorf("user %s: %d, %v", name, id, err)
		}
		if id, err := Group(name); err != nil || id != want {
			t.Errorf("group %s: %d, %v", name, id, err)
		}
	}
	for _, name := range []string{"no such name", "-1", "4294967296", "", "*"} {
		if id, err := User(name); err == nil {
			t.Errorf("user %q: %d", name, id)
		}
		if id, err := Group(name); err == nil {
			t.Errorf("group %q: %d", name, id)
		}
	}
	if got := GroupsOf(0); !slices.Contains(got, 0) {
		t.Errorf("root is in the groups %v", got)
	}
	if got := GroupsOf(4294967294); got != nil {
		t.Errorf("nobody is in the groups %v", got)
	}
}
