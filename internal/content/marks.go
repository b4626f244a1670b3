package content

// marks is a set of numbers that is cleared in constant time.
type marks struct {
	stamp uint32
	met   []uint32 // stamp of the last addition
}

func (m *marks) grow(n int) { m.met = grown(m.met, n) }

func (m *marks) forget() {
	m.stamp++
	if m.stamp == 0 {
		clear(m.met)
		m.stamp = 1
	}
}

// meet adds i and reports whether it is new.
func (m *marks) meet(i uint32) bool {
	first := m.met[i] != m.stamp
	m.met[i] = m.stamp
	return first
}

// has reports whether i is in the set.
func (m *marks) has(i uint32) bool { return m.met[i] == m.stamp }

// tallies has a count for each number, which forget resets to 0.
type tallies struct {
	met    marks
	counts []uint32
}

func (t *tallies) grow(n int) {
	t.met.grow(n)
	t.counts = grown(t.counts, n)
}

func (t *tallies) forget() { t.met.forget() }

// of returns the count of i.
func (t *tallies) of(i uint32) *uint32 {
	if t.met.meet(i) {
		t.counts[i] = 0
	}
	return &t.counts[i]
}

func grown(list []uint32, n int) []uint32 {
	return append(list, make([]uint32, max(n-len(list), 0))...)
}
