// Soak runs a daemon for a long time with everything on and reports whether anything grows.
//
// Programs of several users come and go, some of them killed in the middle of a call; they
// count, read packets, read and write files, search, and send what makes no sense. Meanwhile
// packets flood an interface, which goes down and comes back, and the configuration is read
// again. Every few seconds soak notes the memory, descriptors, threads and mappings of the
// daemon. In the end it closes everything, checks that the books of the device balance and
// that the accounts are empty, and prints a table. It exits with 1 if something grows.
//
//	soak -mapid bin/mapid -minutes 60
//
// It needs root, and makes a network namespace of its own.
//
// Files in reading order; each uses those before it:
//
//	sample.go   the figures of the daemon
//	roles.go    what programs do
//	program.go  processes of users
//	traffic.go  packets and the interface
//	main.go     the daemon, and the run
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/testnet"
	"gomapi/mapi"
)

func main() {
	if role := os.Getenv(roleVariable); role != "" {
		play(role)
		return
	}
	bin := flag.String("mapid", "bin/mapid", "the daemon")
	minutes := flag.Float64("minutes", 60, "how long")
	programs := flag.Int("programs", 12, "programs at a time")
	flag.Parse()
	t := &failures{}
	testnet.Run(t, func(ns *testnet.NS) { soak(t, ns, *bin, time.Duration(*minutes*float64(time.Minute)), *programs) })
	t.end()
}

func soak(t *failures, ns *testnet.NS, bin string, length time.Duration, programs int) {
	dir, err := os.MkdirTemp("", "soak")
	t.check(err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.check(os.Chmod(dir, 0o755))
	d := startDaemon(t, bin, dir)
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	client := &mapi.Client{Socket: d.socket}
	defer client.Close()
	keep, err := client.CreateFlow(ctx, testnet.B) // keeps the device open
	t.check(err)
	count, err := keep.Apply(ctx, "PKT_COUNTER")
	t.check(err)
	t.check(keep.Connect(ctx))

	sender := ns.Sender(testnet.A)
	flooding := ns.Go(func() { flood(ctx, sender) })
	users := startPrograms(ctx, programs, dir, d.socket)
	var samples []sample
	for turn := 0; ctx.Err() == nil; turn++ {
		d.disturb(t, ns, turn)
		s, err := sampleOf(d.cmd.Process.Pid)
		if err != nil {
			t.Fatalf("the daemon is gone: %v", err)
		}
		samples = append(samples, s)
		sleep(ctx, interval)
	}
	users.wait()
	<-flooding
	n, err := count.Int64()
	t.check(err)
	fmt.Printf("%d programs have lived, %d of them were killed, %d could make no flow; %d packets were counted\n\n",
		users.lives.Load(), users.killed.Load(), users.idle.Load(), n)
	if 2*users.idle.Load() > users.lives.Load() {
		t.Errorf("most programs could do nothing")
	}
	d.rest(t, client)
	print(os.Stdout, samples)
	for _, problem := range growth(samples) {
		t.Errorf("%s", problem)
	}
}

// interval is the time between two samples.
const interval = 5 * time.Second

// A subject is the daemon.
type subject struct {
	cmd    *exec.Cmd
	socket string
}

func startDaemon(t *failures, bin, dir string) *subject {
	d := &subject{socket: filepath.Join(dir, "mapid.sock")}
	conf := filepath.Join(dir, "mapi.conf")
	text := "[driver]\ndevice=" + testnet.B + "\ndriver=mapinicdrv\n[format]\nformat=MFF_PCAP\ndriver=mapinicdrv\n[limits]\nmemory=512M\n"
	t.check(os.WriteFile(conf, []byte(text), 0o644))
	d.cmd = exec.Command(bin, "--config", conf, "--socket", d.socket)
	log, err := os.Create("soak.log")
	t.check(err)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	t.check(d.cmd.Start())
	t.Cleanup(func() {
		_ = d.cmd.Process.Signal(unix.SIGTERM)
		if err := d.cmd.Wait(); err != nil {
			fmt.Println("the daemon ended with", err)
		}
	})
	for range 1000 {
		if _, err := os.Stat(d.socket); err == nil {
			return d
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%v does not listen, see soak.log", d.cmd)
	return nil
}

// disturb makes the daemon read its configuration again, or takes its interface away for a moment.
func (d *subject) disturb(t *failures, ns *testnet.NS, turn int) {
	switch turn % 8 {
	case 3:
		t.check(d.cmd.Process.Signal(unix.SIGHUP))
	case 6:
		ns.Down(testnet.A)
		time.Sleep(200 * time.Millisecond)
		ns.Up(testnet.A)
	}
}

// rest checks the daemon when all programs have gone: the books balance, and only the connection
// of the client is on an account.
func (d *subject) rest(t *failures, client *mapi.Client) {
	ctx := context.Background()
	var users []mapi.UserInfo
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		var err error
		users, _, err = client.Users(ctx)
		t.check(err)
		books, err := client.Books(ctx, testnet.B)
		t.check(err)
		if len(users) == 1 && books.Balances() && books.Moved == 0 {
			for _, k := range users[0].Taken {
				fmt.Printf("%s: %d, ", k.Kind, k.Amount)
			}
			fmt.Printf("books balance: %d packets, %d lost\n\n", books.In, books.Lost())
			return
		}
	}
	t.Errorf("users %+v, or books that do not balance, are left", users)
}

// failures collect what is wrong.
type failures struct {
	n        int
	cleanups []func()
}

func (f *failures) Helper() {}

func (f *failures) Skip(args ...any) {
	fmt.Println(args...)
	os.Exit(1)
}

func (f *failures) Errorf(format string, args ...any) {
	f.n++
	fmt.Printf("FAIL: "+format+"\n", args...)
}

func (f *failures) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	f.end()
	runtime.Goexit()
}

func (f *failures) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }

func (f *failures) check(err error) {
	if err != nil {
		f.Fatalf("%v", err)
	}
}

// end cleans up and ends the program.
func (f *failures) end() {
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		f.cleanups[i]()
	}
	os.Exit(min(f.n, 1))
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
