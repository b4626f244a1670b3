package config

import (
	"math"
	"slices"
	"strings"
)

// MaxGroup is the highest device group. The number is part of file names.
const MaxGroup = 9999

// device adds a [driver] section to the configuration or reports why not.
func (b *builder) device(s *Section) {
	d := Device{
		Name:        s.Get("device"),
		Driver:      plainName(s.Get("driver")),
		Description: DefaultDescription,
		Alias:       DefaultAlias,
		Params:      make(map[string]string),
		Line:        s.Line,
	}
	switch {
	case d.Name == "":
		b.errorf(s.Line, "section [driver] without the key device: it is skipped")
	case d.Driver == "":
		b.errorf(s.Line, "device %s has no driver: the section is skipped", quote(d.Name))
	case !b.driver(s, d.Driver, "device "+quote(d.Name)):
	case !b.deviceKeys(s, &d):
	case !b.name(s, &d):
	default:
		b.alias(s, &d)
		b.opens(s, &d)
		b.cfg.Devices = append(b.cfg.Devices, d)
	}
}

// opens reports why the driver would not open a device whose parameters are
// each valid.
func (b *builder) opens(s *Section, d *Device) {
	check := b.known.CheckParams[d.Driver]
	for key, value := range d.Params {
		if check != nil && check(key, value) != nil {
			return // reported with the key
		}
	}
	if together := b.known.CheckTogether[d.Driver]; together != nil {
		if key, err := together(d.Params); err != nil {
			b.errorf(s.line(key), "device %s cannot be opened: %v", quote(d.Name), err)
			return
		}
	}
	if find := b.known.Find[d.Driver]; find != nil {
		if err := find(d.Name, d.Params); err != nil {
			b.errorf(s.line("device"), "device %s cannot be opened now: %v", quote(d.Name), err)
		}
	}
}

// driver checks the name of a driver. A driver that this build lacks is kept,
// so that programs that ask for the device learn why it is unavailable.
func (b *builder) driver(s *Section, name, user string) bool {
	switch {
	case b.known.Drivers[name]:
		return true
	case slices.Contains(knownDrivers, name):
		b.warnf(s.line("driver"), "%s: driver %s is not part of this build", user, name)
		return true
	}
	b.errorf(s.line("driver"), "%s: unknown driver %s, known are %s: the section is skipped",
		user, quote(name), strings.Join(knownDrivers, ", "))
	return false
}

// deviceKeys reads the remaining keys. It returns false if it is unclear which
// daemon serves the device.
func (b *builder) deviceKeys(s *Section, d *Device) bool {
	for _, k := range s.Keys {
		switch k.Name {
		case "device", "driver", "alias":
		case "description":
			d.Description = k.Value
		case "link_speed":
			d.LinkSpeed = b.numberKey(k, 0, math.MaxInt32)
		case "mpls":
			d.MPLS = b.numberKey(k, 0, 1) == 1
		case "vlan":
			d.VLAN = b.numberKey(k, 0, 1) == 1
		case "devgroup":
			n, ok := number(k.Value, 0, MaxGroup)
			if !ok {
				b.errorf(k.Line, "devgroup=%s of device %s is not a number in 0..%d: the section is skipped",
					k.Value, quote(d.Name), MaxGroup)
				return false
			}
			d.Group = n
		default:
			b.param(d, k)
		}
	}
	return true
}

// param keeps a key that the device's driver reads.
func (b *builder) param(d *Device, k Key) {
	switch driver := paramOf(k.Name); driver {
	case d.Driver:
		d.Params[k.Name] = k.Value
		if check := b.known.CheckParams[driver]; check != nil {
			if err := check(k.Name, k.Value); err != nil {
				b.errorf(k.Line, "device %s cannot be opened: %v", quote(d.Name), err)
			}
		}
	case "":
		b.unknownKey("driver", k)
	default:
		b.warnf(k.Line, "%s is ignored: driver %s does not read it, %s does", k.Name, d.Driver, driver)
	}
}

// name rejects a second device with the same name in a group.
func (b *builder) name(s *Section, d *Device) bool {
	key := deviceKey{d.Group, d.Name}
	if line, ok := b.names[key]; ok {
		b.errorf(s.line("device"), "the name %s is already used in line %d: the section is skipped", quote(d.Name), line)
		return false
	}
	b.names[key] = s.line("device")
	return true
}

// alias takes the alias, unless a device already has this name.
func (b *builder) alias(s *Section, d *Device) {
	alias := s.Get("alias")
	switch alias {
	case "":
		return
	case d.Name:
		d.Alias = alias
		return
	}
	key := deviceKey{d.Group, alias}
	if line, ok := b.names[key]; ok {
		b.errorf(s.line("alias"), "the name %s is already used in line %d: device %s gets no alias", quote(alias), line, quote(d.Name))
		return
	}
	b.names[key] = s.line("alias")
	d.Alias = alias
}

// numberKey reads a number. It reports an invalid number and uses 0, the
// default of all numbers in [driver].
func (b *builder) numberKey(k Key, lo, hi int) int {
	n, ok := number(k.Value, lo, hi)
	if !ok {
		b.errorf(k.Line, "%s=%s is not a number in %d..%d: 0 is used", k.Name, k.Value, lo, hi)
		return 0
	}
	return n
}

// line returns the line of a key, or of the header if the key is absent.
func (s *Section) line(name string) int {
	for _, k := range s.Keys {
		if k.Name == name {
			return k.Line
		}
	}
	return s.Line
}
