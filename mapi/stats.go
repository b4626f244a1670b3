package mapi

import (
	"context"
	"strings"

	"gomapi/internal/mapierr"
	"gomapi/internal/wire"
)

// DeviceStats are the counters of a live device since its first flow opened it.
type DeviceStats struct {
	Hostname string // "localhost"
	Device   string // as passed to Stats
	Recv     uint64 // packets that the device saw, including dropped ones
	Drop     uint64 // packets lost because the daemon was too slow
	IfDrop   uint64 // packets lost by the interface before capture: missed and FIFO errors
	// IfDropOther counts packets that the interface lost before capture, and
	// packets that the system dropped after capture because no protocol took
	// them: the interface counts both together (rx_dropped).
	IfDropOther uint64
	Delivered   uint64 // packets passed to the flows
	Reopens     uint64 // how often the device went away and came back
	Filtered    uint64 // packets refused by a filter that was handed to the device
	// SkippedRecords counts records that carry no packet or are of an unknown
	// kind, and UnknownLosses how often packets were lost without their number.
	// Neither counts packets.
	SkippedRecords, UnknownLosses uint64
}

// Stats returns the counters of a live device. Errors: 6157 empty name, 3200 no
// such device, 8004 no flow uses the device or it is a capture file, 5123
// remote scopes, which are not available.
func (c *Client) Stats(ctx context.Context, device string) (DeviceStats, error) {
	st, err := c.stats(ctx, device)
	return st, c.fail(err, "counters of device %q", device)
}

func (c *Client) stats(ctx context.Context, device string) (DeviceStats, error) {
	if device == "" {
		return DeviceStats{}, mapierr.New(ErrDeviceInfo, "the device name is empty")
	}
	l, err := c.connection(ctx)
	if err != nil {
		return DeviceStats{}, err
	}
	resp, err := l.call(ctx, &wire.Request{Call: &wire.Request_DeviceStats{
		DeviceStats: &wire.DeviceStatsQuery{Device: text(device)},
	}})
	if isCode(err, ErrNoDriver) && strings.Contains(device, ":") {
		return DeviceStats{}, noScopes(err)
	}
	if err != nil {
		return DeviceStats{}, err
	}
	st := resp.GetDeviceStats()
	if st == nil {
		return DeviceStats{}, errAnswer
	}
	return DeviceStats{
		Hostname: "localhost", Device: device, Recv: st.Received, Drop: st.Dropped, IfDrop: st.IfDropped,
		IfDropOther: st.IfDroppedOther, Delivered: st.Delivered, Reopens: st.Reopens,
		Filtered: st.Filtered, SkippedRecords: st.SkippedRecords, UnknownLosses: st.UnknownLosses,
	}, nil
}

// Stats returns the counters of a device, one entry for each device of a scope.
// It has the errors of Client.Stats, and 6141 if nothing was created yet.
func Stats(dev string) ([]DeviceStats, error) {
	err := std.initialized()
	if dev == "" {
		err = mapierr.New(ErrDeviceInfo, "the device name is empty")
	}
	if err != nil {
		return nil, std.client.fail(err, "counters of device %q", dev)
	}
	st, err := std.client.Stats(context.Background(), dev)
	if err != nil {
		return nil, err
	}
	return []DeviceStats{st}, nil
}
