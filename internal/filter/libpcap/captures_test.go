package libpcap

import (
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket/pcap"

	"gomapi/internal/bpf"
	"gomapi/internal/testdata"
)

// A capture is a file as libpcap reads it.
type capture struct {
	name     string
	linkType uint16 // DLT
	handle   *pcap.Handle
	packets  []frame
}

// A frame is one packet of a capture.
type frame struct {
	data []byte
	wire int
}

// allCaptures returns the files that libpcap can open, until the test ends.
func allCaptures(t testing.TB) []capture {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata.Dir(t), "*.pcap*"))
	if err != nil {
		t.Fatal(err)
	}
	var captures []capture
	for _, f := range files {
		if c, ok := load(t, f); ok {
			captures = append(captures, c)
		}
	}
	if len(captures) < 50 {
		t.Fatalf("only %d captures can be read", len(captures))
	}
	return captures
}

func load(t testing.TB, path string) (capture, bool) {
	t.Helper()
	name := filepath.Base(path)
	if strings.HasSuffix(path, ".gz") {
		path = unpack(t, path)
	}
	h, err := pcap.OpenOffline(path)
	if err != nil {
		return capture{}, false
	}
	t.Cleanup(h.Close)
	c := capture{name: name, handle: h, linkType: uint16(h.LinkType())}
	if b, err := os.ReadFile(path); err == nil && binary.LittleEndian.Uint32(b) == 0xa1b2c3d4 {
		// gopacket truncates link types to 8 bits. Larger ones have the same number in
		// files.
		if n := binary.LittleEndian.Uint16(b[20:]); n > 255 {
			c.linkType = n
		}
	}
	for {
		data, ci, err := h.ReadPacketData()
		if err != nil {
			return c, true
		}
		c.packets = append(c.packets, frame{data, ci.Length})
	}
}

func unpack(t testing.TB, path string) string {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "capture"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, z); err != nil {
		t.Fatal(err)
	}
	return out.Name()
}

// program compiles expr in this process.
func program(expr string, linkType uint16) (*bpf.Program, error) {
	raw, err := Compile(expr, linkType)
	if err != nil {
		return nil, err
	}
	return bpf.NewProgram(raw)
}
