package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"
	"golang.org/x/sys/unix"

	"gomapi/internal/testdata"
	"gomapi/internal/testnet"
)

// TestSignals makes calls in signal handlers, on a device without packets.
func TestSignals(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		program := compile(t, source(t, "signals.c"), strict...)
		for _, what := range []string{"results", "packets", "series", "restart", "interrupt", "jump", "leave"} {
			ctx, cancel := context.WithTimeout(t.Context(), 3*testnet.Patience)
			cmd := d.command(program, what, testnet.B)
			bounded := exec.CommandContext(ctx, cmd.Path, cmd.Args[1:]...)
			bounded.Env = cmd.Env
			judged(t, bounded)
			cancel()
		}
	})
}

// TestBlockedSignals checks that blocked signals wait for the program.
func TestBlockedSignals(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		judged(t, d.command(compile(t, source(t, "children.c"), strict...), testnet.B))
	})
}

// TestBackground runs a program that becomes a daemon before its first call.
func TestBackground(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := startDaemon(t)
		p := start(t, d.command(compile(t, source(t, "fork.c"), strict...), "before", testnet.B))
		d.awaitActive(1)
		sendAll(t, ns.Sender(testnet.A), 100, testnet.UDP(1, 100))
		if got := p.line(); got != "100 packets" {
			t.Errorf("the program prints %q", got)
		}
		d.awaitNone()
	})
}

func TestForkAfterFirstCall(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		program := compile(t, source(t, "fork.c"), strict...)
		judged(t, d.command(program, "after", testnet.B))
		judged(t, d.command(program, "handler", testnet.B))
	})
}

// TestForkDuringFirstCall checks that no child hangs.
func TestForkDuringFirstCall(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		judged(t, d.command(compile(t, source(t, "fork.c"), strict...), "during", testnet.B))
	})
}

func TestThreads(t *testing.T) {
	path, packets, _ := capture(t, "nd-skype.pcap")
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		judged(t, d.command(compile(t, source(t, "threads.c"), strict...), testnet.B, path, packets,
			filepath.Join(testdata.Dir(t), "mixed-merged.pcap")))
	})
}

// TestDaemonKilled kills the daemon while a program reads.
func TestDaemonKilled(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		program := compile(t, source(t, "killed.c"), strict...)
		for _, what := range []string{"results", "packets", "series"} {
			d := startDaemon(t)
			p := start(t, d.command(program, what, testnet.B))
			d.awaitActive(1)
			d.kill()
			p.endsWell()
			if rest, err := io.ReadAll(p.lines); err != nil || len(rest) > 0 {
				t.Errorf("%s: %s, %v", what, rest, err)
			}
		}
	})
}

// TestHungUp ends the connection of a program while the daemon goes on.
func TestHungUp(t *testing.T) {
	path, packets, _ := capture(t, "nd-skype.pcap")
	d := startDaemon(t)
	program := compile(t, source(t, "hungup.c"), strict...)
	for range 5 {
		judged(t, d.command(program, path, packets))
	}
}

// TestKept looks at what a program keeps of a flow that it has closed.
func TestKept(t *testing.T) {
	path, _, _ := capture(t, "nd-skype.pcap")
	judged(t, startDaemon(t).command(compile(t, source(t, "kept.c"), strict...), path))
}

// TestStoppedDaemon stops the daemon. Ctrl-C must end a program that waits for its
// answer.
func TestStoppedDaemon(t *testing.T) {
	withEth0(t, func(_ *testnet.NS, d *daemon) {
		if err := d.cmd.Process.Signal(unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		const code = `#include <signal.h>
#include "check.h"
static void end(int s) { (void)s; mapi_close_flow(1); _exit(7); }
int main(void) { signal(SIGINT, end); printf("calling\n"); fflush(stdout); return mapi_create_flow("eth0") > 0; }`
		p := start(t, d.command(compile(t, code, strict...)))
		if got := p.line(); got != "calling" {
			t.Errorf("the program prints %q", got)
		}
		p.interrupt()
		if code := p.ends().ExitCode(); code != 7 {
			t.Errorf("exit code %d", code)
		}
	})
}

func TestNoDaemon(t *testing.T) {
	const code = `#include "check.h"
int main(void) {
	mapi_device_info_t info;
	FAILS(mapi_create_flow("lo"), MCOM_INIT_SOCKET_ERROR);
	FAILS(mapi_get_next_device_info(-1, &info), MCOM_INIT_SOCKET_ERROR);
	FAILS(mapi_connect(1), MAPI_INIT_ERROR);
	return failures;
}`
	cmd := exec.Command(compile(t, code, strict...))
	cmd.Env = append(os.Environ(), "MAPI_SOCKET="+filepath.Join(t.TempDir(), "none.sock"))
	judged(t, cmd)
}

// TestNoGoPart runs a program without libmapi-go.so.
func TestNoGoPart(t *testing.T) {
	const code = `#include "check.h"
int main(void) {
	FAILS(mapi_create_flow("lo"), MAPI_LIBRARY_LOAD_ERR);
	FAILS(mapi_create_flow("lo"), MAPI_LIBRARY_LOAD_ERR);
	return failures;
}`
	dir := t.TempDir()
	lib, err := os.ReadFile(filepath.Join(built, "libmapi.so.2"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "libmapi.so.2"), lib, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(compile(t, code, strict...))
	cmd.Env = append(os.Environ(), "LD_PRELOAD="+filepath.Join(dir, "libmapi.so.2"))
	judged(t, cmd)
}

// TestPacketsAsLibpcap compares every packet of several kinds of captures with the
// packets that libpcap reads.
func TestPacketsAsLibpcap(t *testing.T) {
	d := startDaemon(t)
	program := compile(t, source(t, "dump.c"), strict...)
	for _, name := range []string{"mapi-www.pcap", "nd-skype.pcap", "lt-100-ns.pcap", "nd-quickplay-sll.pcap", "zk-empty.pcap"} {
		path, _, _ := capture(t, name)
		out, err := d.command(program, path).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
		compare(t, name, string(out), libpcap(t, filepath.Join(testdata.Dir(t), name)))
	}
}

func compare(t *testing.T, name, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Errorf("%s: packet %d is %q, want %q", name, i+1, g[i], w[i])
			return
		}
	}
	t.Errorf("%s: %d packets, want %d", name, len(g)-1, len(w)-1)
}

// libpcap returns a capture in the output format of dump.c.
func libpcap(t *testing.T, path string) string {
	t.Helper()
	h, err := pcap.OpenOffline(path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var out strings.Builder
	for {
		data, ci, err := h.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		sum := uint32(0)
		for _, b := range data {
			sum = sum*31 + uint32(b)
		}
		fmt.Fprintf(&out, "%d %d %d %d\n", (ci.Timestamp.UnixNano()+500)/1000, ci.CaptureLength, ci.Length, sum)
	}
}

// TestCounterWithoutSystemCall reads a counter while the kernel forbids system calls.
func TestCounterWithoutSystemCall(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		judged(t, d.command(compile(t, source(t, "quiet.c"), strict...), testnet.B))
	})
}

// TestInstall installs the library, checks mapi.pc, and compiles and runs C and C++
// programs that include all headers.
func TestInstall(t *testing.T) {
	root := t.TempDir()
	cmd := exec.Command("make", "-s", "-C", "../..", "install-libmapi", "DESTDIR="+root, "PREFIX=/opt/mapi", "LIBMAPI_OUT="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	prefix := filepath.Join(root, "opt/mapi")
	pc, err := os.ReadFile(filepath.Join(prefix, "lib/pkgconfig/mapi.pc"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"prefix=/opt/mapi\n", "Libs: -L${libdir} -lmapi\n", "Cflags: -I${includedir}\n"} {
		if !strings.Contains(string(pc), want) {
			t.Errorf("no %q in\n%s", want, pc)
		}
	}
	code := filepath.Join(t.TempDir(), "p.c")
	if err := os.WriteFile(code, []byte(including(installed(t)...)+anyLanguage), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "p")
	libs := []string{"-I" + prefix + "/include", "-o", program, code, "-L" + prefix + "/lib", "-lmapi", "-Wl,-rpath," + prefix + "/lib"}
	for _, compiler := range [][]string{
		{"cc", "-std=c99", "-pedantic"}, {"cc", "-std=gnu17", "-pedantic"}, {"g++", "-x", "c++", "-std=c++11"}, {"g++", "-x", "c++", "-std=c++20", "-pedantic"},
	} {
		if _, err := exec.LookPath(compiler[0]); err != nil {
			t.Logf("no %s", compiler[0])
			continue
		}
		args := append(append(compiler[1:], "-Wall", "-Wextra", "-Werror"), libs...)
		if out, err := exec.Command(compiler[0], args...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", compiler, err, out)
			continue
		}
		run := exec.Command(program)
		run.Env = append(os.Environ(), "MAPI_SOCKET=/nonexistent")
		judged(t, run)
	}
}

// anyLanguage is valid C and C++.
const anyLanguage = `
static void on_packet(const struct mapipkt *p) { (void)p; }
int main(void)
{
	char dev[] = "x";
	int code = 0, fd = mapi_create_flow(dev);
	mapi_read_error(&code, 0);
	if (fd >= 0) {
		mapi_apply_function(fd, "TO_FILE", MFF_PCAP, dev, 1ull);
		void *text = dev;
		mapi_apply_function(fd, "BPF_FILTER", text);
		mapi_apply_function(fd, "BPF_FILTER", NULL);
#if __cplusplus
		mapi_apply_function(fd, "BPF_FILTER", nullptr);
#endif
		mapi_apply_function(fd, "SAMPLE", dev[0], PERIODIC);
		mapi_apply_function(fd, "TO_BUFFER");
		mapi_loop(fd, 1, 1, on_packet);
	}
	return code == MCOM_INIT_SOCKET_ERROR ? 0 : 1;
}
`

// TestClosing creates and closes flows in several threads. Each thread releases flows
// that others have closed.
func TestClosing(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		judged(t, d.command(compile(t, source(t, "closing.c"), strict...), testnet.B, "300"))
	})
}

// TestFinished takes packets until a flow has finished, and after it has finished.
func TestFinished(t *testing.T) {
	d := startDaemon(t)
	program := compile(t, source(t, "finished.c"), strict...)
	for _, name := range []string{"mapi-tracefile.pcap", "mapi-www.pcap"} {
		path, packets, _ := capture(t, name)
		judged(t, d.command(program, path, packets))
	}
}

// TestHandlerInMalloc makes calls in a handler that interrupts malloc and free.
func TestHandlerInMalloc(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		path, _, _ := capture(t, "mapi-www.pcap")
		judged(t, d.command(compile(t, source(t, "handlers.c"), strict...), testnet.B, path))
	})
}

// TestNameFreedByProgram deletes devices whose names the program frees itself.
func TestNameFreedByProgram(t *testing.T) {
	d := startDaemon(t)
	path, _, _ := capture(t, "mapi-www.pcap")
	cmd := d.command(compile(t, source(t, "names.c"), strict...), path)
	cmd.Env = append(cmd.Env, "MALLOC_ARENA_MAX=1")
	judged(t, cmd)
}

func TestCancelledThread(t *testing.T) {
	testnet.Run(t, func(ns *testnet.NS) {
		d := startDaemon(t)
		p := start(t, d.command(compile(t, source(t, "cancel.c"), strict...), testnet.B))
		if got := p.line(); got != "waiting" {
			t.Fatalf("the program prints %q", got)
		}
		sendAll(t, ns.Sender(testnet.A), 1, frame(t, "10.0.0.1", "10.0.0.2", &layers.UDP{SrcPort: 9, DstPort: 9}, nil))
		p.endsWell()
	})
}

// TestProcess checks what the first call changes in a process and needs from it.
func TestProcess(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		program := compile(t, source(t, "process.c"), strict...)
		for _, what := range []string{"files", "descriptors", "standard", "stack", "meanwhile", "cancel", "addresses", "data"} {
			judged(t, d.command(program, what, testnet.B))
		}
	})
}

// TestActionsMeanwhile sets signal actions while another thread makes the first call.
func TestActionsMeanwhile(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		judged(t, d.command(compile(t, source(t, "meanwhile.c"), strict...), testnet.B))
	})
}

// TestCompiledForTheOriginal applies functions without the counting macro, through a
// pointer.
func TestCompiledForTheOriginal(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		judged(t, d.command(compile(t, source(t, "original.c"), strict...), testnet.B, filepath.Join(t.TempDir(), "out.pcap")))
	})
}

// TestForwarded applies functions in a C++ template.
func TestForwarded(t *testing.T) {
	if _, err := exec.LookPath("g++"); err != nil {
		t.Skip("needs g++")
	}
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		for _, standard := range []string{"c++11", "c++20"} {
			program := compile(t, source(t, "forward.cpp"), "-x", "c++", "-std="+standard, "-Wall", "-Wextra", "-Wconversion", "-Werror")
			judged(t, d.command(program, testnet.B, filepath.Join(t.TempDir(), "out.pcap")))
		}
	})
}

// TestChurn creates and closes many flows.
func TestChurn(t *testing.T) {
	testnet.Run(t, func(*testnet.NS) {
		d := startDaemon(t)
		judged(t, d.command(compile(t, source(t, "churn.c"), strict...), testnet.B))
	})
}
