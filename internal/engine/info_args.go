package engine

import (
	"fmt"
	"strings"

	"gomapi/flib"
)

// maxArgText limits the text of an argument, in bytes: filters and patterns may be long.
const maxArgText = 1 << 10

// argTexts returns the arguments of a function in words. Omitted arguments have their
// defaults.
func (a *instance) argTexts() []string {
	var texts []string
	for _, arg := range a.args {
		texts = append(texts, argText(arg))
	}
	return texts
}

func argText(arg any) string {
	switch v := arg.(type) {
	case string:
		if len(v) > maxArgText {
			return v[:maxArgText] + "..."
		}
		return v
	case flib.OpenFile:
		return argText(v.Path)
	case []flib.Target:
		var text strings.Builder
		for i, t := range v {
			if text.Len() > maxArgText {
				return text.String() + "..."
			}
			if i > 0 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, "%d@%d", t.FID, t.FD)
		}
		return text.String()
	}
	return fmt.Sprint(arg)
}
