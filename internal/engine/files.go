package engine

import (
	"context"
	"io"

	"gomapi/internal/foreign"
	"gomapi/internal/mapierr"
)

// Refuse closes the connection of a client that has no session. It never waits.
func (e *Engine) Refuse(c io.Closer) { e.files.Refuse(c) }

// OpenFile makes a file of a descriptor that the client has sent, which it takes over. The name
// is the client's. It returns 6155 if the user has too many.
func (s *Session) OpenFile(fd int, name string) (*foreign.File, error) {
	f, err := s.user.files.Open(foreign.Descriptor(fd), name, foreign.Rights{UID: s.owner.UID, GID: s.owner.GID})
	if err != nil {
		return nil, mapierr.New(mapierr.File, "%s: %v", name, err)
	}
	return f, nil
}

// Discard closes descriptors of the client, which may take as long as the client likes. It never
// waits, also after Close.
func (s *Session) Discard(fds ...int) {
	for _, fd := range fds {
		s.user.files.Discard(foreign.Descriptor(fd))
	}
}

// Settle waits while very many descriptors of the user wait to be closed. A client whose
// descriptors are received must settle first.
func (s *Session) Settle(ctx context.Context) error { return s.user.files.Settle(ctx) }
