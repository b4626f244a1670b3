// Package testmapid runs a mapid with the functions of flibtest in a process of its own, for
// tests that need these functions in a network namespace, or end the daemon.
package testmapid

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/sirupsen/logrus"

	"gomapi/drivers"
	"gomapi/drivers/nic"
	"gomapi/drivers/offline"
	"gomapi/flib"
	"gomapi/flib/flibtest"
	"gomapi/flib/stdflib"
	"gomapi/internal/config"
	"gomapi/internal/daemon"
	"gomapi/internal/filter/libpcap"
	"gomapi/internal/testnet"
)

// socketVar is the environment variable that makes a test binary a daemon.
const socketVar = "MAPI_TEST_DAEMON"

const nicDriver = "mapinicdrv"

// Main is the daemon, in a process that Start has started, and does not return. Elsewhere it
// does nothing. TestMain calls it first.
func Main() {
	socket := os.Getenv(socketVar)
	if socket == "" {
		return
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	o := Options(socket, offline.Driver{})
	o.Ready = func() { fmt.Println("ready") }
	err := daemon.Run(ctx, o)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Options are those of the daemon: it has interface b of a test network, and reads capture files
// with a driver.
func Options(socket string, files drivers.FileDriver) daemon.Options {
	var reg drivers.Registry
	reg.Add(nicDriver, nic.Driver{})
	reg.AddFormat(drivers.FormatPCAP, files)
	c := config.Default()
	c.Auto = false
	c.Devices = []config.Device{{Name: testnet.B, Driver: nicDriver, Alias: config.DefaultAlias}}
	log := logrus.New()
	log.SetOutput(io.Discard)
	return daemon.Options{
		Socket: socket, Config: c, Drivers: &reg, Functions: flib.NewRegistry(stdflib.Library(), flibtest.Library()),
		Compiler: libpcap.InProcess{}, Log: log, Version: "test",
	}
}

// Start starts the daemon in the namespace of the thread. It returns when clients can connect.
// The caller waits for the process.
func Start(t testing.TB, socket string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), socketVar+"="+socket)
	cmd.Stderr = t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout = w
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if said, _ := bufio.NewReader(r).ReadString('\n'); said != "ready\n" {
		t.Fatalf("the daemon says %q", said)
	}
	return cmd
}
