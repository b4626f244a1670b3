package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// TestTimesThatCannotBeTold reads packets of the year 2107, which packet time
// cannot represent. Each command must report this.
func TestTimesThatCannotBeTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "late.pcapng")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	write := func(w io.Writer) error {
		ng, err := pcapgo.NewNgWriter(w, layers.LinkTypeEthernet)
		if err != nil {
			return err
		}
		for _, year := range []int{2023, 2107, 2107} {
			info := gopacket.CaptureInfo{Timestamp: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), CaptureLength: 60, Length: 60}
			if err := ng.WritePacket(info, make([]byte, 60)); err != nil {
				return err
			}
		}
		return ng.Flush()
	}
	if err := write(f); err != nil {
		t.Fatal(err)
	}
	const want = "mapi: 2 packets before 1970 or after 2106: their time is set to the first or last moment of packet time\n"
	for _, args := range [][]string{{"count", "-r", path}, {"dump", "-r", path}, {"apply", "-r", path, "PKT_COUNTER"}} {
		if _, errs := inZone(t, "UTC", args...); !strings.HasSuffix(errs, want) {
			t.Errorf("%s says %q", args[0], errs)
		}
	}
}
