package nic

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"gomapi/internal/mapierr"
)

// A timestamp is the source of timestamps.
type timestamp int

const (
	software timestamp = iota // the kernel
	hardware                  // the card, if its clock agrees with the system's
	forced                    // the card, whatever its clock says
)

// rawHardware is SOF_TIMESTAMPING_RAW_HARDWARE (linux/net_tstamp.h).
const rawHardware = 1 << 6

// maxClockOffset is the maximum difference between the card's clock and the
// system's. Clocks on TAI are 37 s ahead; clocks that were never set start in
// 1970.
const maxClockOffset = time.Second

// setTimestamps makes the card timestamp all received packets. The setting
// persists until it is changed again; cards do not remember who made it.
func (s *socket) setTimestamps(c control, o options) error {
	if o.timestamp == software {
		return nil
	}
	// The setting for sent packets stays unchanged.
	config, err := unix.IoctlGetHwTstamp(int(c), s.name)
	if err != nil {
		config = &unix.HwTstampConfig{}
	}
	if config.Rx_filter != unix.HWTSTAMP_FILTER_ALL {
		config.Rx_filter = unix.HWTSTAMP_FILTER_ALL
		if err := unix.IoctlSetHwTstamp(int(c), s.name, config); err != nil {
			return openError(s.name, "its card cannot timestamp all packets; use tstamp=sw. "+
				"\"ethtool -T\" shows its capabilities; the setting needs CAP_NET_ADMIN", err)
		}
	}
	if o.timestamp == hardware {
		if err := checkClock(c, s.name); err != nil {
			return err
		}
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_TIMESTAMP, rawHardware); err != nil {
		return openError(s.name, "select the timestamps of the card", err)
	}
	return nil
}

// checkClock compares the card's clock with the system's.
func checkClock(c control, name string) error {
	const remedy = "set it with phc2sys, or use tstamp=sw, or tstamp=hw-force to accept it"
	info, err := unix.IoctlGetEthtoolTsInfo(int(c), name)
	if err != nil || info.Phc_index < 0 {
		return mapierr.New(mapierr.PcapOpen, "interface %s: the clock of its card cannot be read; %s", name, remedy)
	}
	clock, err := os.Open(fmt.Sprintf("/dev/ptp%d", info.Phc_index))
	if err != nil {
		return openError(name, "read the clock of its card; "+remedy, err)
	}
	defer clock.Close()
	offset, err := clockOffset(unix.FdToClockID(int(clock.Fd())))
	if err != nil {
		return openError(name, "read the clock of its card; "+remedy, err)
	}
	if offset.Abs() > maxClockOffset {
		return mapierr.New(mapierr.PcapOpen, "interface %s: the clock of its card differs by %v from the system's; %s", name, offset, remedy)
	}
	return nil
}

// clockOffset returns how far a clock is ahead of the system's.
func clockOffset(clock int32) (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return time.Until(time.Unix(ts.Unix())), nil
}
