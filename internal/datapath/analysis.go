package datapath

import (
	"sync/atomic"

	"gomapi/flib"
	"gomapi/internal/chain"
	"gomapi/internal/pkt"
	"gomapi/internal/share"
)

// An Analysis is an analyser of the device with its marks.
type Analysis struct {
	Key      string
	Analyser flib.Analyser
	Marks    flib.Marks
	// Users returns the chains that ask for the analyser. It is called if the analyser has
	// failed.
	Users func() []*chain.Chain
	// Bill is for those who ask for it. The control side may replace it.
	Bill   atomic.Pointer[share.Bill]
	failed bool
}

// run lets the analyser see a batch.
func (a *Analysis) run(h *chain.Host, pkts []pkt.Packet) {
	marks := a.Marks.Begin(pkts)
	if a.failed {
		return
	}
	if b := a.Bill.Load(); b != nil && h.Meter.On {
		h.Meter.ToAll(b)
	}
	defer func() {
		if value := recover(); value != nil {
			a.failed = true
			h.FailAnalyser(a.Users(), a.Key, h.First(), value)
		}
	}()
	a.Analyser.Analyse(pkts, marks)
}
