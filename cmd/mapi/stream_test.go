package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"gomapi/internal/tracegen"
)

// traceOf is a pcap file of n packets.
func traceOf(t testing.TB, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := tracegen.Write(&b, n, 1); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestStreamLive sends packets over a pipe that stays open. Each packet must
// appear before the next is sent, even if half of the next is already in the
// pipe.
func TestStreamLive(t *testing.T) {
	all := traceOf(t, 20)
	cmd := exec.Command(filepath.Join(bin, "mapi"), "dump", "-r", "-")
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
	lines := bufio.NewReader(out)
	at := 0
	write := func(n int) {
		if _, err := in.Write(all[at : at+n]); err != nil {
			t.Fatal(err)
		}
		at += n
	}
	write(pcapFileHead)
	for at < len(all) {
		size := int(binary.LittleEndian.Uint32(all[at+8:])) + pcapRecordHead
		write(size / 2)
		write(size - size/2)
		if line, err := lines.ReadString('\n'); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
	}
	in.Close()
	if rest, _ := io.ReadAll(lines); len(rest) > 0 {
		t.Errorf("%q is printed after the last packet", rest)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestStreamInterrupted interrupts a call that waits for the pipe.
func TestStreamInterrupted(t *testing.T) {
	for _, command := range [][]string{{"dump"}, {"count"}, {"apply"}} {
		args := append(command, "-r", "-")
		if command[0] == "apply" {
			args = append(args, "PKT_COUNTER")
		}
		cmd := exec.Command(filepath.Join(bin, "mapi"), args...)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write(traceOf(t, 3)[:pcapFileHead]); err != nil {
			t.Fatal(err)
		}
		for len(childrenOf(t, cmd.Process.Pid)) == 0 { // the tool handles signals before it starts the daemon
		}
		_ = cmd.Process.Signal(unix.SIGTERM)
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != exitInterrupted {
			t.Errorf("%v: %v", args, err)
		}
		in.Close()
	}
}

// piecesOf cuts a stream, which arrives in the given reads, into pieces and
// returns them without headers.
func piecesOf(t testing.TB, reads ...[]byte) (pieces [][]byte) {
	t.Helper()
	s := &stream{}
	for i, read := range append(reads, nil) {
		s.buf = append(s.buf, read...)
		s.ended = s.ended || i == len(reads)
		for {
			n := s.whole()
			if s.ended {
				n = len(s.buf)
			}
			if n == 0 {
				break
			}
			piece := append(bytes.Clone(s.head), s.buf[:n]...)
			s.keepHead(s.buf[:n])
			s.buf = append(s.buf[:0], s.buf[n:]...)
			pieces = append(pieces, piece)
		}
	}
	return pieces
}

// block is a pcapng block.
func block(kind uint32, body ...uint32) (b []byte) {
	size := uint32(12 + 4*len(body))
	for _, n := range append(append([]uint32{kind, size}, body...), size) {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

// TestStreamPieces cuts pcapng captures: each piece starts with a section and
// its interfaces, and a new section starts a new piece.
func TestStreamPieces(t *testing.T) {
	section := block(blockSection, magicByteOrder, 1, 0xffffffff, 0xffffffff)
	first, second := block(blockInterface, 1, 0), block(blockInterface, 113, 0)
	packet := block(6, 0, 0, 0, 4, 4, 0x01020304)
	cat := func(b ...[]byte) []byte { return bytes.Join(b, nil) }
	got := piecesOf(t, cat(section, first, packet), cat(second, packet[:9]), packet[9:],
		cat(packet, section, second, packet))
	want := [][]byte{
		cat(section, first, packet),
		cat(section, first, second, packet),
		cat(section, first, second, packet),
		cat(section, first, second, section, second, packet),
	}
	if len(got) != len(want) {
		t.Fatalf("%d pieces, want %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("piece %d: %x, want %x", i, got[i], want[i])
		}
	}
}

// FuzzStream sends arbitrary data over a pipe in arbitrary reads. The pieces
// must contain all data in order.
func FuzzStream(f *testing.F) {
	f.Add(traceOf(f, 3), 50)
	f.Add(block(blockSection, magicByteOrder, 1, 0xffffffff, 0xffffffff), 7)
	f.Fuzz(func(t *testing.T, all []byte, cut int) {
		cut = max(0, min(cut, len(all)))
		s := 0
		for _, piece := range piecesOf(t, all[:cut], all[cut:]) {
			s += len(piece)
		}
		if s < len(all) {
			t.Errorf("%d bytes are in pieces, %d arrived", s, len(all))
		}
	})
}
