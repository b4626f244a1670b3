package acceptance

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"gomapi/internal/testdata"
	"gomapi/mapi"
)

func TestStopsOnSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT} {
		t.Run(sig.String(), func(t *testing.T) {
			d := start(t)
			c := d.client()
			path := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
			dev, err := c.CreateOfflineDevice(t.Context(), path, mapi.FormatPCAP)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := count(t.Context(), c, dev.Name(), "tcp"); err != nil {
				t.Fatal(err)
			}
			stops(t, d, sig)
		})
	}
}

// TestKilledDaemon checks that a killed daemon leaves a stale socket, which the
// next daemon replaces, but no compiler process.
func TestKilledDaemon(t *testing.T) {
	d := start(t)
	c := d.client()
	path := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	f, err := c.CreateOfflineFlow(t.Context(), path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Apply(t.Context(), "BPF_FILTER", "tcp"); err != nil { // starts the compiler
		t.Fatal(err)
	}
	d.stop(syscall.SIGKILL)
	_, err = f.Apply(t.Context(), "PKT_COUNTER")
	wantCode(t, "apply after the daemon was killed", err, mapi.ErrCommSocket)
	again := startAt(t, d.socket)
	if _, err := count(t.Context(), again.client(), "lo", ""); err != nil && os.Geteuid() == 0 {
		t.Error(err)
	}
}

func TestSecondDaemonIsRefused(t *testing.T) {
	d := start(t)
	cmd := exec.Command(filepath.Join(binaries, "mapid"), "--builtin", "--socket", d.socket)
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("a second daemon serves the same socket")
	}
	t.Logf("%s", out)
	if _, err := d.client().Libraries(t.Context()); err != nil {
		t.Errorf("the first daemon is affected: %v", err)
	}
}

// TestHostileClients sends what no program sends, and checks that the daemon
// serves other clients.
func TestHostileClients(t *testing.T) {
	d := start(t)
	steady := d.client()
	for _, record := range [][]byte{{0}, make([]byte, 65536), make([]byte, 65537), make([]byte, 200000), []byte("\x08\x01\x12\x02\x08\x01")} {
		for range 20 {
			conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: d.socket, Net: "unixpacket"})
			if err != nil {
				t.Fatal(err)
			}
			conn.Write(record)
			conn.Close()
		}
	}
	path := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	if got := countFile(t, steady, path, "tcp")[0][0]; got != 596 {
		t.Errorf("%d packets of tcp, want 596", got)
	}
}

// TestEnormousFilters checks that such filters are rejected, or compiled within
// limits.
func TestEnormousFilters(t *testing.T) {
	c := start(t).client()
	path := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	f, err := c.CreateOfflineFlow(t.Context(), path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	terms := "host 10.0.0.1"
	for len(terms) < 60000 {
		terms += " or host 10.0.0.1"
	}
	nested := make([]byte, 30000)
	for i := range nested {
		nested[i] = '('
	}
	for what, filter := range map[string]string{
		"long":      terms,
		"nested":    string(nested) + "tcp",
		"host name": "host www.example.org",
		"localhost": "host localhost",
		"NUL":       "tcp\x00 and udp",
		"binary":    "\xff\xfe\xfd",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
		_, err := f.Apply(ctx, "BPF_FILTER", filter)
		cancel()
		if what == "NUL" {
			wantCode(t, what, err, mapi.ErrInvalidArgument1)
			continue
		}
		wantCode(t, what, err, mapi.ErrPcapBPF)
	}
	if _, err := f.Apply(t.Context(), "BPF_FILTER", "port http and tcp"); err != nil {
		t.Errorf("names of services are no host names: %v", err)
	}
}

// TestUnprivilegedDaemon reads files. For interfaces the daemon must report the
// missing privilege.
func TestUnprivilegedDaemon(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become somebody else")
	}
	home := t.TempDir()
	for dir := home; dir != "/tmp" && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(home, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	d := &mapid{t: t, socket: filepath.Join(home, "mapid.sock")}
	d.cmd = exec.Command(filepath.Join(binaries, "mapid"), "--builtin", "--socket", d.socket)
	d.cmd.Dir = "/"
	d.cmd.Stderr = &d.stderr
	d.cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:  syscall.SIGKILL,
		Credential: &syscall.Credential{Uid: 65534, Gid: 65534},
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer d.stop(syscall.SIGTERM)
	// A client rejects a daemon of another user, so this one has a Dial
	// function.
	c := &mapi.Client{Dial: func(ctx context.Context) (*net.UnixConn, error) {
		for {
			conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: d.socket, Net: "unixpacket"})
			if err == nil || ctx.Err() != nil {
				return conn, err
			}
		}
	}}
	defer c.Close()
	path := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	if got := countFile(t, c, path, "tcp")[0][0]; got != 596 {
		t.Errorf("%d packets of tcp, want 596", got)
	}
	_, err := c.CreateFlow(t.Context(), "lo")
	wantCode(t, "interface without rights", err, mapi.ErrPcapOpen)
	if err != nil {
		t.Log(err)
	}
	posing := &mapi.Client{Socket: d.socket}
	_, err = posing.CreateFlow(t.Context(), "lo")
	wantCode(t, "daemon of another user", err, mapi.ErrCommInitSocket)
}
