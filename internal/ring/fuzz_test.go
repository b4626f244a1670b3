package ring

import (
	"encoding/binary"
	"errors"
	"testing"
)

// FuzzReader reads a ring of arbitrary bytes between arbitrary positions. It must end,
// and its packets must be contiguous in the ring.
func FuzzReader(f *testing.F) {
	w, _ := pair(f, 0)
	for n := range uint64(8) {
		w.Write(numbered(n, int(n)*9))
	}
	f.Add(uint64(0), w.pos, uint64(0), w.ring[:512])
	f.Add(uint64(512-24), uint64(1024), uint64(1), w.ring[:512])
	f.Add(uint64(8), uint64(16), uint64(2), []byte{12: 0xff, 13: 0xff, 14: 0xff, 15: 0xff})
	f.Add(^uint64(0)&^7, uint64(64), uint64(0), w.ring[:512])
	f.Fuzz(func(t *testing.T, read, position, state uint64, content []byte) {
		const capacity = 512
		m := mappings{data: make([]byte, headSize+capacity), page: make([]byte, pageSize)}
		copy(m.data[headSize:], content)
		asPage(m.page).read.Store(read)
		asHead(m.data).magic.Store(Magic)
		asHead(m.data).position.Store(position)
		asHead(m.data).state.Store(state)
		r := newReader(m)
		sum := uint64(0)
		for {
			p, ok, err := r.TryNext()
			if !ok {
				if sum > capacity || r.next-read > capacity {
					t.Fatalf("read %d bytes of a ring of %d", sum, capacity)
				}
				if err == nil && (state != stateOpen || r.next != position) || errors.Is(err, ErrCorrupt) && r.next == position && (position-read)%8 == 0 {
					t.Fatalf("stopped at %d of %d, state %d, with %v", r.next, position, state, err)
				}
				return
			}
			if len(p.Data) != cap(p.Data) || len(p.Data) > capacity-recordData {
				t.Fatalf("packet of %d bytes", len(p.Data))
			}
			sum += recordSize(uint64(len(p.Data)))
		}
	})
}

// FuzzRing compares a script of writes, reads and flushes with a plain queue. Two bytes
// of the script are one step.
func FuzzRing(f *testing.F) {
	f.Add([]byte{0, 10, 0, 200, 1, 0, 2, 0, 2, 0})
	f.Add(func() (s []byte) {
		for i := range 100 {
			s = append(s, byte(i*i), byte(i*7))
		}
		return s
	}())
	f.Fuzz(func(t *testing.T, script []byte) {
		const capacity = 1024
		m := mappings{data: make([]byte, headSize+capacity), page: make([]byte, pageSize)}
		w := &Writer{head: asHead(m.data), page: asPage(m.page), ring: m.data[headSize:], mask: capacity - 1, sock: -1, backing: allBacked}
		w.head.magic.Store(Magic)
		r := newReader(m)
		var queue, shown []int // written lengths, and how many of them were published
		var lost Counts
		n, next := uint64(0), uint64(0)
		numbers := []uint64{}
		for ; len(script) >= 2; script = script[2:] {
			length := int(binary.LittleEndian.Uint16(script)) % 600
			switch script[0] % 4 {
			case 0, 1:
				if w.Write(numbered(n, length)) {
					queue, numbers = append(queue, length), append(numbers, n)
				} else if recordSize(uint64(length)) > capacity/2 {
					lost.TooLarge++
				} else {
					lost.Full++
				}
				n++
				if w.shown.Load() == w.pos {
					shown = queue
				}
			case 2:
				w.Flush()
				shown = queue
			default:
				p, ok, err := r.TryNext()
				if err != nil || ok && len(shown) == 0 || !ok && len(shown) > 0 {
					t.Fatalf("got %v, %v with %d packets there", ok, err, len(shown))
				}
				if ok {
					checkNumbered(t, p, numbers[next], shown[0])
					shown, queue = shown[1:], queue[1:]
					next++
				}
			}
		}
		if got := w.Counts(); got.Full != lost.Full || got.TooLarge != lost.TooLarge || got.Written != uint64(len(numbers)) {
			t.Fatalf("counts are %+v, want %+v and %d written", got, lost, len(numbers))
		}
		w.Flush()
		for _, length := range queue {
			mustNext(t, r, numbers[next], length)
			next++
		}
		mustBeEmpty(t, r, nil)
		if !w.Write(numbered(n, capacity/2-recordData)) {
			t.Fatal("an empty ring has no room for half of it")
		}
	})
}
