package ring

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// childVariable makes the test binary a client that reads some packets of the ring in its
// files 3 to 5, reports this, and hangs.
const childVariable = "RING_TEST_CHILD"

func child() {
	r, err := Open(os.NewFile(3, "data"), os.NewFile(4, "page"), os.NewFile(5, "socket"))
	if err != nil {
		os.Stdout.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	for range 3 {
		if _, err := r.Next(context.Background()); err != nil {
			os.Stdout.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
	}
	os.Stdout.WriteString("read\n")
	os.Stdin.Read(make([]byte, 1)) // forever: the test kills it
	os.Exit(0)
}

// startChild starts a client in a separate process and waits until it has read.
func startChild(t *testing.T, w *Writer) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.ExtraFiles = w.Files()
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
	w.CloseFiles()
	line := make([]byte, 200)
	n, _ := out.Read(line)
	if got := strings.TrimSpace(string(line[:n])); got != "read" {
		t.Fatalf("the client says %q", got)
	}
	return func() {
		cmd.Process.Kill()
		cmd.Wait()
		in.Close()
	}
}

// TestKilledReaderEndsTheWait kills another process while the writer waits for it.
func TestKilledReaderEndsTheWait(t *testing.T) {
	w := packets(t, MinCapacity)
	n := fill(w)
	kill := startChild(t, w)
	done := make(chan bool, 1)
	go func() { // room for two packets only
		for w.WriteWait(numbered(n, 1000)) {
		}
		done <- true
	}()
	spin(t, "the writer to wait", func() bool { return w.head.want.Load() != 0 })
	kill()
	<-done
	if got := w.Counts(); got.Full != 2 || got.Written != n+2 {
		t.Errorf("counts are %+v, want %d written and 2 lost", got, n+2)
	}
}

// TestKilledReaderLive continues to write for a killed client.
func TestKilledReaderLive(t *testing.T) {
	w := packets(t, MinCapacity)
	fill(w)
	startChild(t, w)()
	before := w.Counts()
	for range 1000 {
		w.Write(numbered(1, 1000))
		w.Flush()
	}
	if got := w.Counts(); got.Written+got.Full != before.Written+before.Full+1000 || got.Written > before.Written+2 {
		t.Errorf("counts went from %+v to %+v", before, got)
	}
}
