package ring

import (
	"context"
	"testing"
)

// TestUnread asks both sides whether packets wait for a reader that takes packets.
func TestUnread(t *testing.T) {
	w, r := pair(t, 0)
	is := func(when string, want bool) {
		t.Helper()
		if w.Unread() != want || r.Unread() != want {
			t.Errorf("%s: the writer says %v, the reader %v, want %v", when, w.Unread(), r.Unread(), want)
		}
	}
	is("nothing written", false)
	for n := range uint64(3) {
		w.Write(numbered(n, 100))
	}
	w.Flush()
	is("nobody reads", false)
	for i := range 3 {
		if _, ok, err := r.TryNext(); !ok || err != nil {
			t.Fatal(ok, err)
		}
		is("taking", i < 2)
	}
	w.Write(numbered(3, 100))
	w.Flush()
	is("one more", true)
	r.Close()
	if w.Unread() {
		t.Error("a reader that was closed keeps packets waiting")
	}
	w.Close()
	if w.Unread() {
		t.Error("a writer that was closed has packets")
	}
}

// TestUnreadBySleeper: a reader that has waited counts as taking packets.
func TestUnreadBySleeper(t *testing.T) {
	w, r := pair(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Next(ctx); err == nil {
		t.Fatal("a packet came")
	}
	w.Write(numbered(3, 100))
	w.Flush()
	if !w.Unread() || !r.Unread() {
		t.Error("a packet does not wait for a reader that has waited for it")
	}
}

// TestUnreadByPoller: a reader that has asked without waiting counts too. It is not
// woken.
func TestUnreadByPoller(t *testing.T) {
	w, r := pair(t, 0)
	mustBeEmpty(t, r, nil)
	if w.Unread() || r.Unread() {
		t.Error("a ring without packets is unread")
	}
	w.Write(numbered(3, 100))
	w.Flush()
	if !w.Unread() || !r.Unread() {
		t.Error("a packet does not wait for a reader that has asked for it")
	}
	if w.answeredSleep != 0 {
		t.Error("a reader that does not sleep was woken")
	}
}

// TestUnreadSeries: entries of a series never count as unread.
func TestUnreadSeries(t *testing.T) {
	w, r := series(t, 16, 10)
	for range 3 {
		w.Append(entry(1, 16))
	}
	w.Flush()
	if _, ok, err := r.TryNext(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if w.Unread() || r.Unread() {
		t.Error("a series is unread")
	}
}
