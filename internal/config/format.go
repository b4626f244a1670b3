package config

// format adds a [format] section to the configuration or reports why not. The
// keys may be in any order; the original requires format, driver, description.
func (b *builder) format(s *Section) {
	b.unknownKeys(s, formatKeys)
	f := FormatEntry{
		Name:        s.Get("format"),
		Driver:      plainName(s.Get("driver")),
		Description: DefaultDescription,
		Line:        s.Line,
	}
	if text := s.Get("description"); text != "" {
		f.Description = text
	}
	var ok bool
	f.Format, ok = formats[f.Name]
	switch {
	case f.Name == "":
		b.errorf(s.Line, "section [format] without the key format: it is skipped")
	case !ok:
		b.errorf(s.line("format"), "unknown format %s, known are MFF_PCAP, MFF_DAG_ERF, MFF_NAPATECH: the section is skipped", quote(f.Name))
	case b.hasFormat(f.Format):
		b.warnf(s.line("format"), "format %s is already configured: the first section is used", f.Name)
	case f.Driver != "" && !b.driver(s, f.Driver, "format "+f.Name):
	default:
		b.cfg.Formats = append(b.cfg.Formats, f)
	}
}

func (b *builder) hasFormat(format int) bool {
	for _, f := range b.cfg.Formats {
		if f.Format == format {
			return true
		}
	}
	return false
}
