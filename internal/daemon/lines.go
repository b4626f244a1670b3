package daemon

import "time"

// Limits on the log lines that one client can cause. A client can send
// thousands of requests per second.
const (
	lineBurst = 200 // lines at once
	lineRate  = 20  // lines per second after that
	maxLogged = 200 // bytes of a name in a line
)

// lines is a client's budget of log lines. It belongs to the goroutine that
// handles the client's requests.
type lines struct {
	left    float64
	last    time.Time
	dropped int
}

// take reports whether a line may be logged now, and how many were dropped
// since the last logged line.
func (l *lines) take(now time.Time) (ok bool, dropped int) {
	if !l.last.IsZero() {
		l.left = min(l.left+now.Sub(l.last).Seconds()*lineRate, lineBurst)
	}
	l.last = now
	if l.left < 1 {
		l.dropped++
		return false, 0
	}
	l.left--
	dropped, l.dropped = l.dropped, 0
	return true, dropped
}

// say logs the effect of a request, within the client's budget.
func (c *client) say(format string, args ...any) {
	ok, dropped := c.lines.take(time.Now())
	if !ok {
		return
	}
	if dropped > 0 {
		c.log.Infof("%d requests of this client were not logged", dropped)
	}
	c.log.Infof(format, args...)
}
