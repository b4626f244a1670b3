package datapath

import (
	"gomapi/flib"
	"gomapi/internal/chain"
	"gomapi/internal/pkt"
)

// An Analysis is an analyser of the device with its marks.
type Analysis struct {
	Key      string
	Analyser flib.Analyser
	Marks    flib.Marks
	// Users returns the chains that ask for the analyser. It is called if the analyser has
	// failed.
	Users  func() []*chain.Chain
	failed bool
}

// run lets the analyser see a batch.
func (a *Analysis) run(h *chain.Host, pkts []pkt.Packet) {
	marks := a.Marks.Begin(pkts)
	if a.failed {
		return
	}
	defer func() {
		if value := recover(); value != nil {
			a.failed = true
			h.FailAnalyser(a.Users(), a.Key, h.First(), value)
		}
	}()
	a.Analyser.Analyse(pkts, marks)
}
