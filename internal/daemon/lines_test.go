package daemon

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"gomapi/internal/wire"
)

// A user causes a burst of lines, and then a number per second. Users do not affect each other.
func TestLinesOfUsers(t *testing.T) {
	u := userLines{users: make(map[string]*lines)}
	now := time.Unix(1, 0)
	logged := func(user string, tries int) (n int, gaps []gap) {
		for range tries {
			ok, g := u.take(user, now)
			gaps = append(gaps, g...)
			if ok {
				n++
			}
		}
		return n, gaps
	}
	for _, c := range []struct {
		after time.Duration
		user  string
		tries int
		want  int
		gaps  []gap
	}{
		{0, "1", 1000, lineBurst, nil},
		{0, "2", 10, 10, nil},
		{time.Second, "1", 1000, lineRate, []gap{{"1", 1000 - lineBurst}}},
		{refill / 2, "2", 1, 1, nil},
		{refill, "3", 1, 1, []gap{{"1", 1000 - lineRate}}}, // user 1 has caused nothing more
		{0, "1", 1000, lineBurst, nil},
	} {
		now = now.Add(c.after)
		if n, gaps := logged(c.user, c.tries); n != c.want || !slices.Equal(gaps, c.gaps) {
			t.Errorf("user %s: %d of %d lines, gaps %v; want %d, %v", c.user, n, c.tries, gaps, c.want, c.gaps)
		}
	}
	if now = now.Add(2 * refill); len(u.users) != 2 {
		t.Errorf("%d users are remembered, want 2", len(u.users))
	}
	if _, _ = logged("4", 1); len(u.users) != 1 {
		t.Errorf("%d users are remembered, want the last one", len(u.users))
	}
}

// A book is a hook of logrus that keeps lines.
type book struct {
	mu    sync.Mutex
	lines []string
}

func (b *book) Levels() []logrus.Level { return logrus.AllLevels }

func (b *book) Fire(e *logrus.Entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, fmt.Sprint(e.Message, e.Data["uid"]))
	return nil
}

func (b *book) count(text string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.lines {
		if strings.Contains(l, text) {
			n++
		}
	}
	return n
}

// A user with many connections has the budget of one.
func TestLinesOfManyConnections(t *testing.T) {
	o, _ := options(t, filepath.Join(t.TempDir(), "mapid.sock"))
	var log book
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	logger.AddHook(&log)
	o.Log = logger
	began := time.Now()
	start(t, o)
	const programs, flows = 10, 3 * lineBurst / 10
	for range programs {
		p := greeted(t, o.Socket)
		for range flows {
			if f := p.call(create("net0")).GetFlowCreated(); f == nil {
				t.Fatal("no flow")
			}
		}
		_ = p.conn.Send(&wire.Request{}) // no request: the daemon warns and ends the connection
		ended(t, p.conn)
	}
	most := lineBurst + int(time.Since(began).Seconds()*lineRate) + 1
	if n := log.count("flow ") + log.count("connection ends"); n < lineBurst || n > most {
		t.Errorf("%d lines of %d are logged, want %d to %d", n, programs*(flows+1), lineBurst, most)
	}
}
