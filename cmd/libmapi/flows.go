package main

// #include "call.h"
import "C"

import (
	"context"
	"errors"

	"gomapi/internal/rawview"
	"gomapi/mapi"
)

var errNoFlow = errors.New("no such flow")

func (s *server) createFlow(ctx context.Context, c *C.struct_call) error {
	f, err := s.client.CreateFlow(ctx, text(c.text))
	if err != nil {
		return err
	}
	s.add(c, f)
	return nil
}

func (s *server) createOfflineFlow(ctx context.Context, c *C.struct_call) error {
	f, err := s.client.CreateOfflineFlow(ctx, text(c.text), mapi.Format(c.number))
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.lastDevice++
	s.devices[f.Device()] = &device{number: s.lastDevice}
	s.mu.Unlock()
	s.add(c, f)
	return nil
}

// add stores a flow and answers with its memory.
func (s *server) add(c *C.struct_call, f *mapi.Flow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flows[f.FD()] = &flow{Flow: f}
	c.fd = C.int(f.FD())
	c.place, c.memory = words(rawview.OfFlow(f)), words(rawview.Memory(f))
	c.connection = C.uint32_t(s.connection(rawview.Lost(f)))
	if d := s.devices[f.Device()]; d != nil {
		c.device = C.int(d.number)
	}
}

// connection numbers the connection of a flow, and tells the C part when it is lost. A
// client has one connection at a time, so connections end in the order of their numbers.
func (s *server) connection(lost <-chan struct{}) uint32 {
	if n := s.connections[lost]; n != 0 {
		return n
	}
	s.lastConnection++
	n := s.lastConnection
	s.connections[lost] = n
	go func() {
		<-lost
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.connections, lost)
		setLost(s.calls, max(n, uint32(s.calls.lost)))
	}()
	return n
}

// flow finds a flow of the program by number.
func (s *server) flow(c *C.struct_call, op string) (*flow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.flows[int(c.fd)]
	if f == nil {
		return nil, fail(mapi.ErrInvalidFlow, op, errNoFlow)
	}
	return f, nil
}

func (s *server) connect(ctx context.Context, c *C.struct_call) error {
	f, err := s.flow(c, "connect")
	if err != nil {
		return err
	}
	return f.Connect(ctx)
}

func (s *server) close(_ context.Context, c *C.struct_call) error {
	f, err := s.flow(c, "close")
	if err != nil {
		return err
	}
	return f.Close(s.closePatience.context())
}

// release removes a closed flow and unmaps the memory of its packets.
func (s *server) release(_ context.Context, c *C.struct_call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.flows[int(c.fd)]
	if f == nil {
		return nil
	}
	delete(s.flows, int(c.fd))
	for _, fn := range f.functions {
		fn.at.Free()
	}
	if d := s.devices[f.Device()]; d != nil && d.OfflineDevice == nil {
		delete(s.devices, f.Device()) // it was created with the flow
	}
	return nil
}
