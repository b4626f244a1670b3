package nic

import (
	"net"
	"slices"

	"gomapi/internal/mapierr"
)

// Interfaces returns the names of the interfaces that are up, ordered by index.
func Interfaces() ([]string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, mapierr.Wrap(mapierr.PcapOpen, "list the network interfaces", err)
	}
	slices.SortFunc(all, func(a, b net.Interface) int { return a.Index - b.Index })
	var names []string
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 {
			names = append(names, i.Name)
		}
	}
	return names, nil
}
