package offline

// pcapngCases are small files, well-formed and malformed, that libpcap reads or
// rejects.
func pcapngCases(order func() *writer) map[string]*writer {
	const ticks = uint64(1700000000123456)
	start := func() *writer { return order().section().iface(1, 100) }
	w := start()
	data := frame(60, 1)
	return map[string]*writer{
		"plain":            start().enhanced(0, ticks, 60, data),
		"unaligned":        start().enhanced(0, ticks, 61, frame(57, 1)).enhanced(0, ticks, 61, frame(58, 1)),
		"obsolete":         start().obsolete(0, ticks, 70, data),
		"simple":           start().simple(60, data).simple(200, frame(100, 2)),
		"simple short":     start().simple(80, data),
		"simple no iface":  order().section().simple(60, data),
		"unknown blocks":   start().block(0x0bad, data).block(0x80000001, nil).enhanced(0, ticks, 60, data),
		"unknown first":    order().section().block(10, data).iface(1, 100).enhanced(0, ticks, 60, data),
		"packet first":     order().section().enhanced(0, ticks, 60, data).iface(1, 100),
		"second section":   start().enhanced(0, ticks, 60, data).section().iface(1, 100).enhanced(0, ticks, 60, data),
		"section no iface": start().enhanced(0, ticks, 60, data).section().enhanced(0, ticks, 60, data),
		"two interfaces":   start().iface(1, 100, w.opt(optResolution, 9)).enhanced(1, ticks*1000, 60, data),
		"unknown iface":    start().enhanced(0, ticks, 60, data).enhanced(1, ticks, 60, data),
		"above snap":       start().enhanced(0, ticks, 101, frame(101, 1)),
		"no snap":          order().section().iface(1, 0).enhanced(0, ticks, 60, data),
		"huge snap":        order().section().iface(1, 1<<31).enhanced(0, ticks, 60, data),
		"offset": order().section().iface(1, 0, w.opt(optOffset, w.body(func(b *writer) { b.u64(1000) })...)).
			enhanced(0, ticks, 60, data),
		"offset back": order().section().iface(1, 0, w.opt(optOffset, w.body(func(b *writer) { b.u64(1<<64 - 1000) })...)).
			enhanced(0, ticks, 60, data),
		"short offset":      order().section().iface(1, 0, w.opt(optOffset, 1)),
		"two resolutions":   order().section().iface(1, 0, w.opt(optResolution, 6), w.opt(optResolution, 6)),
		"resolution 10^20":  order().section().iface(1, 0, w.opt(optResolution, 20)),
		"resolution 2^64":   order().section().iface(1, 0, w.opt(optResolution, 0x80|64)),
		"resolution length": order().section().iface(1, 0, w.opt(optResolution, 6, 6)),
		"end of options":    order().section().iface(1, 0, w.opt(optEnd), w.opt(optResolution, 20)).enhanced(0, ticks, 60, data),
		"end with length":   order().section().iface(1, 0, w.opt(optEnd, 1)),
		"option too long":   order().section().iface(1, 0, []byte{2, 2, 200, 200}),
		"short interface":   start().block(blockInterface, data[:4]),
		"short packet":      start().block(blockEnhanced, data[:16]),
		"short obsolete":    start().block(blockPacket, data[:16]),
		"empty simple":      start().block(blockSimple, nil),
		"capture too long":  start().block(blockEnhanced, w.body(func(b *writer) { b.u32(0, 0, 0, 80, 80, 1, 2, 3) })),
		"version 2": start().enhanced(0, ticks, 60, data).
			block(blockSection, w.body(func(b *writer) { b.u32(byteOrderMagic); b.u16(2, 0); b.u64(0) })),
		"version 1.2": order().block(blockSection, w.body(func(b *writer) { b.u32(byteOrderMagic); b.u16(1, 2); b.u64(0) })).
			iface(1, 0).enhanced(0, ticks, 60, data),
		"short section":  start().block(blockSection, w.body(func(b *writer) { b.u32(byteOrderMagic) })),
		"bad magic":      start().block(blockSection, data),
		"length 8":       rawBlock(start(), 5, 8, 8),
		"length 13":      rawBlock(start(), 5, 13, 13),
		"length huge":    rawBlock(start(), 5, 1<<31, 0),
		"lengths differ": rawBlock(start().enhanced(0, ticks, 60, data), 5, 12, 16),
	}
}

func rawBlock(w *writer, words ...uint32) *writer {
	w.u32(words...)
	w.Write(make([]byte, 64))
	return w
}
