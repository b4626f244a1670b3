package foreign

// Places are the calls of one kind that a user may have under way, among those of all.
type places struct{ own, all chan struct{} }

// take waits for a place, and fails if stop is closed before.
func (p places) take(stop <-chan struct{}) bool {
	if !enter(p.own, stop) {
		return false
	}
	if !enter(p.all, stop) {
		<-p.own
		return false
	}
	return true
}

// enter puts a token into c. Stop ends its wait; if there is room it does not wait.
func enter(c chan struct{}, stop <-chan struct{}) bool {
	select {
	case c <- struct{}{}:
		return true
	default:
	}
	select {
	case c <- struct{}{}:
		return true
	case <-stop:
		return false
	}
}

func (p places) give() {
	<-p.all
	<-p.own
}

// do makes a call in a place, on a goroutine of its own, and waits for it. If stop is closed
// before, do returns false. A call that was begun then goes on alone and keeps its place; what
// it uses belongs to it.
func (p places) do(stop <-chan struct{}, call func()) bool {
	if !p.take(stop) {
		return false
	}
	done := make(chan struct{})
	go func() {
		call()
		p.give()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-stop:
		return false
	}
}
