package nic

import (
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"gomapi/drivers"
)

// Find implements drivers.Finder. Its error carries 1026, and EPERM if the
// interface exists but this process may not capture on it.
func (Driver) Find(c drivers.Config) error {
	o, err := parseOptions(c)
	if err != nil {
		return err
	}
	_, err = lookUp(c.Device, o, permitted)
	return err
}

// Resolve returns the primary name of the interface with this name or
// alternative name (altname of ip-link(8)) in the network namespace of the
// calling thread. The interface may be down. Errors carry 1026.
func Resolve(name string) (string, error) {
	n, err := lookUp(name, defaults(), func(string) error { return nil })
	return n.name, err
}

// lookUp finds an interface, and checks its name in its network namespace.
func lookUp(name string, o options, check func(name string) error) (nic, error) {
	d := &device{name: name, opts: o, control: -1}
	defer d.control.close()
	err := d.enter()
	defer d.ns.close()
	if err != nil {
		return nic{}, err
	}
	n, err := d.lookUp()
	if err != nil {
		return nic{}, err
	}
	return n, d.ns.do(func() error { return check(name) })
}

// lookUp finds the interface that currently has the device's name.
func (d *device) lookUp() (nic, error) {
	const mtuOfAny = 1500
	if d.name == anyName {
		return nic{name: anyName, link: anyLink, mtu: mtuOfAny}, nil
	}
	index, err := d.indexOfName()
	if err != nil {
		return nic{}, openError(d.name, "there is no interface of this name; \"ip link\" lists them", err)
	}
	return d.control.describe(index)
}

// longestAlternative is the maximum length of an alternative name in bytes,
// ALTIFNAMSIZ of linux/if.h without the NUL.
const longestAlternative = 127

// indexOfName returns the index of the interface that currently has the
// device's name. Alternative names can be longer than primary names; only
// netlink knows these.
func (d *device) indexOfName() (index int, err error) {
	switch {
	case len(d.name) < unix.IFNAMSIZ:
		return d.control.index(d.name)
	case len(d.name) > longestAlternative:
		return 0, unix.ENAMETOOLONG
	}
	err = d.ns.do(func() error {
		kernel, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer kernel.Close()
		link, err := kernel.LinkByName(d.name)
		if err == nil {
			index = link.Attrs().Index
		}
		return err
	})
	return index, err
}
