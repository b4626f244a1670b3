package config

import (
	"fmt"

	"gopkg.in/ini.v1"
)

// readValues reads the checked lines with the INI reader and combines its
// values with the line numbers of the index. Keys without a value are apart:
// they count as absent.
func readValues(idx *index) ([]Section, error) {
	file, err := ini.LoadSources(ini.LoadOptions{
		AllowNonUniqueSections:  true,
		IgnoreInlineComment:     true,
		IgnoreContinuation:      true,
		PreserveSurroundedQuote: true,
		KeyValueDelimiters:      "=",
	}, idx.clean.Bytes())
	if err != nil {
		return nil, err
	}
	parsed := file.Sections()
	if len(parsed) != len(idx.sections) {
		return nil, fmt.Errorf("%d sections were indexed and %d read", len(idx.sections), len(parsed))
	}
	sections := make([]Section, len(parsed))
	for i, where := range idx.sections {
		sections[i] = Section{Name: where.Name, Line: where.Line}
		for _, k := range where.Keys {
			key, err := parsed[i].GetKey(k.Name)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", k.Line, err)
			}
			// Value, not String: it does not expand %(name)s.
			if k.Value = key.Value(); k.Value != "" {
				sections[i].Keys = append(sections[i].Keys, k)
			} else {
				sections[i].Empty = append(sections[i].Empty, k)
			}
		}
	}
	return sections, nil
}
