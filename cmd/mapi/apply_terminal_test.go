package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/testdata"
)

// TestRowsOnATerminal has RES2FILE write to a terminal, which the daemon refuses.
func TestRowsOnATerminal(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal := "/dev/pts/" + strconv.Itoa(n)
	held, err := os.OpenFile(terminal, os.O_RDWR|unix.O_NOCTTY, 0) // it does not hang up when the tool ends
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	file := filepath.Join(testdata.Dir(t), "zk-icmp-5-pings.pcap")
	startTool(t, "apply", "-r", file, "PKT_COUNTER", ",", "RES2FILE", "1", "@1", "packets", terminal, "-1", "0").wait(0)
	lines := bufio.NewReader(master)
	head, _ := lines.ReadString('\n')
	row, _ := lines.ReadString('\n')
	if head != "packets\r\n" || row != "10 \r\n" {
		t.Errorf("the terminal has %q, %q", head, row)
	}
}
