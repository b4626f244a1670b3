package foreign

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// Rights are those of a client: its user and group, and no capabilities.
type Rights struct{ UID, GID uint32 }

// exercise runs call with rights r, so that what a file system allows, refuses or counts is what
// it would for the client: quotas, blocks reserved for root, bits that a write clears.
// Supplementary groups do not matter for files that are open. The real and effective user stay
// those of the daemon, because the client must not be able to signal it. Without CAP_SETUID the
// file system sees the daemon's user.
func (r Rights) exercise(call func()) error {
	runtime.LockOSThread()
	own, caps, err := rightsOfThread()
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	if caps[0].Effective|caps[1].Effective == 0 && own == r {
		runtime.UnlockOSThread()
		call()
		return nil
	}
	err = r.assume(caps)
	if err == nil {
		call()
	}
	if back := own.resume(caps); back != nil {
		return fmt.Errorf("take back the rights of a thread: %w", back) // the locked thread ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}

// capabilities of a thread, see capset(2).
type capabilities [2]unix.CapUserData

var capHeader = unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}

func rightsOfThread() (r Rights, caps capabilities, err error) {
	header := capHeader
	if err := unix.Capget(&header, &caps[0]); err != nil {
		return r, caps, fmt.Errorf("get the capabilities of a thread: %w", err)
	}
	uid, _ := unix.SetfsuidRetUid(-1) // changes nothing
	gid, _ := unix.SetfsgidRetGid(-1)
	return Rights{uint32(uid), uint32(gid)}, caps, nil
}

// assume gives the thread rights r.
func (r Rights) assume(caps capabilities) error {
	const setuid, setgid = 1 << unix.CAP_SETUID, 1 << unix.CAP_SETGID
	if caps[0].Effective&setgid != 0 {
		_, _ = unix.SetfsgidRetGid(int(r.GID)) // reports no errors
	}
	if caps[0].Effective&setuid != 0 {
		_, _ = unix.SetfsuidRetUid(int(r.UID))
		if uid, _ := unix.SetfsuidRetUid(-1); uint32(uid) != r.UID {
			return fmt.Errorf("act as user %d: the kernel refuses", r.UID)
		}
	}
	caps[0].Effective, caps[1].Effective = 0, 0
	header := capHeader
	if err := unix.Capset(&header, &caps[0]); err != nil {
		return fmt.Errorf("give up the capabilities of a thread: %w", err)
	}
	return nil
}

// resume gives the thread its own rights r and capabilities again.
func (r Rights) resume(caps capabilities) error {
	_, _ = unix.SetfsuidRetUid(int(r.UID)) // needs no capability, and may return some
	_, _ = unix.SetfsgidRetGid(int(r.GID))
	header := capHeader
	if err := unix.Capset(&header, &caps[0]); err != nil {
		return err
	}
	if now, got, err := rightsOfThread(); err != nil || now != r || got != caps {
		return fmt.Errorf("user %d, group %d, %v", now.UID, now.GID, err)
	}
	return nil
}
