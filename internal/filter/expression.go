package filter

import (
	"strconv"
	"strings"
	"unicode"

	"gomapi/internal/mapierr"
)

// CheckExpression refuses expressions that must not reach a compiler, with error 1025:
// text longer than MaxExpression, and NUL bytes, where C would end the expression.
func CheckExpression(expr string) error {
	if len(expr) > MaxExpression {
		return mapierr.New(mapierr.PcapBPF,
			"the filter expression has %d bytes, at most %d are allowed", len(expr), MaxExpression)
	}
	if i := strings.IndexByte(expr, 0); i >= 0 {
		return mapierr.New(mapierr.PcapBPF,
			"the filter expression has a NUL byte at offset %d: remove it", i)
	}
	return nil
}

// Quote returns expr for a message: printable, and truncated if it is long.
func Quote(expr string) string {
	const shown = 80
	if len(expr) > shown {
		return strconv.Quote(expr[:shown]) + "..."
	}
	return strconv.Quote(expr)
}

// printable returns untrusted text with its control bytes replaced.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, string(b))
}
