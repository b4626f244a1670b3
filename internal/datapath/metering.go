package datapath

import (
	"math"
	"sync/atomic"
	"time"

	"gomapi/internal/share"
)

const (
	// One batch, or pause, in meterEvery is metered. The number is odd because batches and
	// pauses often alternate.
	meterEvery = 61
	// meterFilling is the same while the device fills.
	meterFilling = 5
	// After a batch that took longer than longBatch the next one is metered.
	longBatch = 2 * time.Millisecond
	// Limits for the time of one share in a metered batch: while the device fills, and else.
	mostFilling = 10 * time.Millisecond
	mostInBatch = 50 * time.Millisecond
)

// A metering decides which batches are metered, and tells the control side when the device
// fills: when the packets that wait take share.Filling percent of their room.
type metering struct {
	meter    *share.Meter
	every    int        // in how many batches one is metered; for a file none is
	n        int        // batches since the last one that was metered
	fullness func() int // of the device, percent; nil: unknown
	fills    func()     // see Options.Filling

	// Any goroutine may use these.
	full   atomic.Int32 // fullness after the last batch
	told   atomic.Bool  // fills was called
	rivals atomic.Bool  // several shares have chains, so that one may be cut short
}

// begin begins a batch.
func (m *metering) begin() {
	if m.n++; m.n < m.every {
		return
	}
	switch {
	case m.fullness == nil || !m.rivals.Load():
		m.meter.Most = 0
	case m.full.Load() < share.Filling:
		m.meter.Most = mostInBatch
	default:
		m.meter.Most = mostFilling
	}
	m.meter.Begin()
}

// end ends it.
func (m *metering) end() {
	if m.meter.On {
		took := m.meter.End(m.n)
		if m.n, m.every = 0, meterEvery; took > longBatch {
			m.every = 1
		}
	}
	if m.fullness != nil {
		m.gauge()
	}
}

// gauge looks how full the device is.
func (m *metering) gauge() {
	full := m.fullness()
	if int32(full) != m.full.Load() {
		m.full.Store(int32(full))
	}
	if full < share.Filling {
		return
	}
	m.every = min(m.every, meterFilling)
	if !m.told.Load() {
		m.told.Store(true)
		m.fills()
	}
}

// soon makes the next batch be metered, because the plan is new.
func (m *metering) soon() {
	if m.every != math.MaxInt {
		m.every = 1
	}
}
