package acceptance

import (
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcap"

	"gomapi/internal/pkt"
	"gomapi/internal/testdata"
	"gomapi/mapi"
	"gomapi/mapi/result"
)

// packetsOf reads times and lengths of a capture with libpcap.
func packetsOf(t *testing.T, path string) (list []gopacket.CaptureInfo) {
	t.Helper()
	h, err := pcap.OpenOffline(path)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for {
		_, info, err := h.ZeroCopyReadPacketData()
		if err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, info)
	}
}

// during runs STARTSTOP over a file and returns its result and the number of
// packets that passed.
func during(t *testing.T, client *mapi.Client, path, begin, end string) (result.StartStop, uint64) {
	t.Helper()
	ctx := t.Context()
	f, err := client.CreateOfflineFlow(ctx, path, mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	fn, err := f.Apply(ctx, "STARTSTOP", begin, end)
	if err != nil {
		t.Fatal(err)
	}
	counter, err := f.Apply(ctx, "PKT_COUNTER")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	if err := f.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	n, err := counter.Uint64()
	if err != nil {
		t.Fatal(err)
	}
	r, err := fn.Read()
	if err != nil {
		t.Fatal(err)
	}
	s, ok := result.ParseStartStop(r.Res)
	if !ok {
		t.Fatalf("result of %d bytes", len(r.Res))
	}
	if err := f.Close(ctx); err != nil {
		t.Fatal(err)
	}
	return s, n
}

func TestStartStopGoldens(t *testing.T) {
	client := start(t).client()
	path := filepath.Join(testdata.Dir(t), "mapi-tracefile.pcap")
	ms := func(ts uint64) int64 { return pkt.Time(ts).Round(time.Millisecond).UnixMilli() }
	s, n := during(t, client, path, "+10s", "+20s")
	if n != 39 || ms(s.First) != 1089376567457 || ms(s.FirstPassed) != 1089376577783 || ms(s.Last) != 1089376597389 {
		t.Errorf("+10s +20s: %d packets, %d to %d after %d ms", n, ms(s.FirstPassed), ms(s.Last), ms(s.First))
	}
	if _, n := during(t, client, path, "+0s", "+30s"); n != 83 {
		t.Errorf("+0s +30s: %d packets, want 83", n)
	}
}

// TestStartStopAgainstLibpcap counts the packets of a window by their times
// according to libpcap. The daemon has the time zone of the test.
func TestStartStopAgainstLibpcap(t *testing.T) {
	client := start(t).client()
	const layout = "2006-01-02 15:04:05"
	for _, name := range []string{"mapi-tracefile.pcap", "nd-skype.pcap", "zk-http-bro.org.pcap"} {
		path := filepath.Join(testdata.Dir(t), name)
		all := packetsOf(t, path)
		first := all[0].Timestamp
		second := first.Truncate(time.Second)
		for _, c := range []struct {
			begin, end string
			from, to   time.Time
		}{
			{"+0s", "+0s", time.Time{}, first.Add(1e6 * time.Hour)},
			{"+3s", "+0.5m", first.Add(3 * time.Second), first.Add(33 * time.Second)},
			{"+1500ms", "+4000000us", first.Add(1500 * time.Millisecond), first.Add(5500 * time.Millisecond)},
			{second.Add(2 * time.Second).Local().Format(layout), second.Add(9 * time.Second).Local().Format(layout),
				second.Add(2 * time.Second), second.Add(9 * time.Second)},
			{second.Add(2 * time.Second).Local().Format(layout), "+7s", second.Add(2 * time.Second), second.Add(9 * time.Second)},
			{"2001-01-01 00:00:00", second.Add(3 * time.Second).Local().Format(layout), time.Time{}, second.Add(3 * time.Second)},
		} {
			want := uint64(0)
			for _, p := range all {
				if !p.Timestamp.Before(c.from) && !p.Timestamp.After(c.to) {
					want++
				}
			}
			if _, n := during(t, client, path, c.begin, c.end); n != want {
				t.Errorf("%s, %s %s: %d packets, want %d", name, c.begin, c.end, n, want)
			}
		}
	}
}

func TestStartStopErrors(t *testing.T) {
	f, err := start(t).client().CreateOfflineFlow(t.Context(), filepath.Join(testdata.Dir(t), "mapi-www.pcap"), mapi.FormatPCAP)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Apply(t.Context(), "STARTSTOP", "+1s", "2004-07-09 14:56:07")
	wantCode(t, "relative start with absolute stop", err, mapi.ErrInvalidArgument)
	_, err = f.Apply(t.Context(), "STARTSTOP", "yesterday", "+1s")
	wantCode(t, "start that is no time", err, mapi.ErrInvalidArgument)
}
