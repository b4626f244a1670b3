package result

import (
	"bytes"
	"testing"
)

func TestRecordsToTheByte(t *testing.T) {
	in := Records{Lost: 3, List: []Record{{TS: 1 << 32, Kind: 4, Data: []byte("nine byte")}, {Kind: 9}}}
	b := in.Append(nil)
	want := "\x02\x00\x00\x00\x00\x00\x00\x00" + "\x03\x00\x00\x00\x00\x00\x00\x00" +
		"\x00\x00\x00\x00\x01\x00\x00\x00" + "\x04\x00\x00\x00\x09\x00\x00\x00" + "nine byt" + "e\x00\x00\x00\x00\x00\x00\x00" +
		"\x00\x00\x00\x00\x00\x00\x00\x00" + "\x09\x00\x00\x00\x00\x00\x00\x00"
	if string(b) != want {
		t.Errorf("%q", b)
	}
	for n := range b {
		if got, ok := ParseRecords(b[:n]); ok {
			t.Errorf("%d of %d bytes give %+v", n, len(b), got)
		}
	}
	if got, ok := ParseRecords(b); !ok || len(got.List) != 2 || got.List[0].Time().Unix() != 1 {
		t.Errorf("%+v", got)
	}
}

func FuzzParseRecords(f *testing.F) {
	f.Add(Records{Lost: 1, List: []Record{{TS: 1, Kind: 2, Data: []byte("abc")}}}.Append(nil))
	f.Add(bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := ParseRecords(b)
		if !ok {
			return
		}
		again := got.Append(nil)
		if back, ok := ParseRecords(again); !ok || len(back.List) != len(got.List) || !bytes.Equal(back.Append(nil), again) {
			t.Errorf("%x becomes %x", b, again)
		}
	})
}
