package daemon

import (
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

// Limits on the log lines that one user can cause, over all connections. A client can send
// thousands of requests per second.
const (
	lineBurst = 200 // lines at once
	lineRate  = 20  // lines per second after that
	maxLogged = 200 // bytes of a name in a line
)

// refill is the time after which a user who has caused no lines has the whole budget again.
const refill = lineBurst * time.Second / lineRate

// userLines are the budgets of log lines of all users. Any goroutine may use them.
type userLines struct {
	mu    sync.Mutex
	users map[string]*lines
	swept time.Time // when those who have the whole budget were last forgotten
}

// lines is the budget of one user.
type lines struct {
	left    float64
	last    time.Time
	omitted int // since the last line
}

// A gap says that lines of a user were not logged.
type gap struct {
	user  string
	lines int
}

// take reports whether a user may cause a line now. The gaps are to be logged first, that of this
// user and those of users who have caused nothing more.
func (u *userLines) take(user string, now time.Time) (ok bool, gaps []gap) {
	u.mu.Lock()
	defer u.mu.Unlock()
	gaps = u.sweep(now)
	l := u.users[user]
	if l == nil {
		l = &lines{left: lineBurst}
		u.users[user] = l
	} else {
		l.left = min(l.left+now.Sub(l.last).Seconds()*lineRate, lineBurst)
	}
	l.last = now
	if l.left < 1 {
		l.omitted++
		return false, gaps
	}
	l.left--
	if l.omitted > 0 {
		gaps = append(gaps, gap{user, l.omitted})
		l.omitted = 0
	}
	return true, gaps
}

// sweep forgets the users who have the whole budget, some time after the last sweep, and returns
// their gaps.
func (u *userLines) sweep(now time.Time) (gaps []gap) {
	if now.Sub(u.swept) < refill {
		return nil
	}
	u.swept = now
	for user, l := range u.users {
		if now.Sub(l.last) < refill {
			continue
		}
		if l.omitted > 0 {
			gaps = append(gaps, gap{user, l.omitted})
		}
		delete(u.users, user)
	}
	return gaps
}

// userLog logs a line that a user has caused, within the budget of the user.
func (d *daemon) userLog(user string, log *logrus.Entry, level logrus.Level, format string, args ...any) {
	if !log.Logger.IsLevelEnabled(level) {
		return
	}
	ok, gaps := d.lines.take(user, time.Now())
	for _, g := range gaps {
		d.Log.WithField("user", g.user).Warnf("%d lines that this user caused were left out", g.lines)
	}
	if ok {
		log.Logf(level, format, args...)
	}
}

// warnUser logs a warning about something that a user has caused.
func (d *daemon) warnUser(user string, format string, args ...any) {
	d.userLog(user, d.Log.WithField("user", user), logrus.WarnLevel, format, args...)
}

// say logs the effect of a request.
func (c *client) say(format string, args ...any) {
	c.sayAt(logrus.InfoLevel, format, args...)
}

func (c *client) sayAt(level logrus.Level, format string, args ...any) {
	c.daemon.userLog(c.owner.Payer.ID, c.log, level, format, args...)
}
