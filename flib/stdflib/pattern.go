package stdflib

import (
	"encoding/hex"
	"strings"

	"gomapi/internal/content"
	"gomapi/internal/mapierr"
)

// Limits of a search pattern, because it costs time on the capture goroutine.
const (
	maxPattern      = 32 << 10 // bytes of its text
	maxAlternatives = 1024
)

// newPattern parses the pattern language of STR_SEARCH, see alternatives. An additional
// error is 3504: depth is less than the length of an alternative. Offset and depth must
// not be negative.
func newPattern(text string, offset, depth int) (*content.Pattern, error) {
	alts, err := alternatives(text)
	if err != nil {
		return nil, err
	}
	for _, alt := range alts {
		if depth > 0 && len(alt) > depth {
			return nil, mapierr.New(mapierr.StrSearchDepth,
				"STR_SEARCH: an alternative of %d bytes does not fit into a depth of %d: depth 0 searches to the end of the packet",
				len(alt), depth)
		}
	}
	return &content.Pattern{Strings: alts, Offset: offset, Depth: depth}, nil
}

// alternatives parses a pattern from left to right. "||" separates alternatives; empty
// ones are skipped. "|" begins and ends a block of hexadecimal digits, two per byte. A
// backslash makes the next character an ordinary one. Errors: 3503 for a block without
// end; 3505 for a block that contains anything but pairs and blanks, for a pattern that
// is too long, and for a pattern without alternatives.
func alternatives(text string) ([][]byte, error) {
	if len(text) > maxPattern {
		return nil, mapierr.New(mapierr.StrSearchPattern,
			"STR_SEARCH: the pattern has %d bytes, at most %d are allowed", len(text), maxPattern)
	}
	var alts [][]byte
	var alt []byte
	end := func() {
		if len(alt) > 0 {
			alts = append(alts, alt)
		}
		alt = nil
	}
	for rest := text; rest != ""; {
		switch {
		case rest[0] == '\\' && len(rest) > 1:
			alt = append(alt, rest[1])
			rest = rest[2:]
		case strings.HasPrefix(rest, "||"):
			end()
			rest = rest[2:]
		case rest[0] == '|':
			block, n, err := hexBlock(rest, len(text)-len(rest))
			if err != nil {
				return nil, err
			}
			alt = append(alt, block...)
			rest = rest[n:]
		default:
			alt = append(alt, rest[0])
			rest = rest[1:]
		}
	}
	end()
	return alts, checkNumber(len(alts))
}

func checkNumber(alternatives int) error {
	switch {
	case alternatives == 0:
		return mapierr.New(mapierr.StrSearchPattern,
			"STR_SEARCH: the pattern is empty: write \\| for the character |")
	case alternatives > maxAlternatives:
		return mapierr.New(mapierr.StrSearchPattern,
			"STR_SEARCH: the pattern has %d alternatives, at most %d are allowed", alternatives, maxAlternatives)
	}
	return nil
}

// hexBlock parses the block at the start of text, which is at byte at of the pattern. It
// returns the block and the length of its text, including both pipes.
func hexBlock(text string, at int) (block []byte, n int, err error) {
	digits, _, closed := strings.Cut(text[1:], "|")
	if !closed {
		return nil, 0, mapierr.New(mapierr.StrSearchPipe,
			"STR_SEARCH: the | at byte %d of the pattern begins a hex block without an end: "+
				"close it with another |, write \\| for the character, || between alternatives", at+1)
	}
	block, err = hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		return nil, 0, mapierr.New(mapierr.StrSearchPattern,
			"STR_SEARCH: the hex block at byte %d of the pattern does not consist of pairs of hexadecimal digits", at+1)
	}
	return block, len(digits) + 2, nil
}
