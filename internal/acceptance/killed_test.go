package acceptance

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"gomapi/internal/testenv"
	"gomapi/internal/testnet"
	"gomapi/mapi"
)

// victim is the environment variable that makes the test binary a program with
// flows and packet buffers that reads nothing.
const victim = "MAPI_TEST_VICTIM"

// TestVictim is the program of TestKilledClients.
func TestVictim(t *testing.T) {
	socket := os.Getenv(victim)
	if socket == "" {
		t.Skip("a program for TestKilledClients") // not a test of its own
	}
	c := &mapi.Client{Socket: socket}
	for range 5 {
		f, err := c.CreateFlow(t.Context(), testnet.B)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"PKT_COUNTER", "TO_BUFFER"} {
			if _, err := f.Apply(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Println("ready")
	select {}
}

// TestKilledClients kills programs, and stops one, on a device that becomes
// silent. Nothing of the killed programs remains, and other programs are
// unaffected.
func TestKilledClients(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := start(t)
		c := d.client()
		witness, err := count(t.Context(), c, testnet.B, "")
		if err != nil {
			t.Fatal(err)
		}
		before := descriptors(t, d)
		var victims []*exec.Cmd
		for range 3 {
			victims = append(victims, startVictim(t, d.socket))
		}
		stopped := victims[2]
		stopped.Process.Signal(syscall.SIGSTOP)
		sender := ns.Sender(testnet.A)
		for i := range 5000 { // more than a buffer holds
			if err := sender.Send(testnet.UDP(uint64(i), 1400)); err != nil {
				t.Fatal(err)
			}
		}
		reaches(t, "packets beside readers that do not read", witness.packets, 5000)
		for _, v := range victims[:2] {
			v.Process.Kill()
			v.Wait()
		}
		testenv.Until(t, "the witness and the flows of the stopped program are left", func() bool { return flows(t, c) == 1+5 })
		stopped.Process.Kill()
		stopped.Wait()
		testenv.Until(t, "mapid has the descriptors of before", func() bool { return descriptors(t, d) == before })
		if n := flows(t, c); n != 1 {
			t.Errorf("%d flows remain, want the witness", n)
		}
	})
}

func startVictim(t *testing.T, socket string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), victim+"="+socket)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	if said, err := bufio.NewReader(out).ReadString('\n'); said != "ready\n" {
		t.Fatalf("victim says %q, %v", said, err)
	}
	return cmd
}

// flows counts the flows of all programs.
func flows(t *testing.T, c *mapi.Client) int {
	t.Helper()
	all, err := c.Flows(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// descriptors counts the descriptors of the daemon.
func descriptors(t *testing.T, d *mapid) int {
	t.Helper()
	fds, err := os.ReadDir(filepath.Join("/proc", fmt.Sprint(d.cmd.Process.Pid), "fd"))
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}
