package spin

import "testing"

func TestUntilEnds(t *testing.T) {
	calls := 0
	Until(func() bool { calls++; return calls == 3 })
	if calls > 3 { // fewer with one CPU, or if time runs out
		t.Errorf("%d calls, done was true in the third", calls)
	}
	Until(func() bool {
		Until(func() bool { t.Error("two goroutines spin"); return true })
		return true
	})
	Until(func() bool { return false })
}
