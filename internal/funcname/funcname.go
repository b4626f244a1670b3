// Package funcname parses function names as programs write them.
package funcname

import "strings"

// Split parses a name, [library:]NAME[!oid]. Missing parts are empty.
func Split(name string) (library, function, oid string) {
	library, rest, found := strings.Cut(name, ":")
	if !found {
		library, rest = "", name
	}
	function, oid, _ = strings.Cut(rest, "!")
	return library, function, oid
}

// Plain returns the name without library and oid.
func Plain(name string) string {
	_, function, _ := Split(name)
	return function
}

// anonymizers are the functions of the original that hide the sender of a
// packet.
var anonymizers = [...]string{"ANONYMIZE", "ANONYMIZEIP"}

// anonymizer returns the anonymizer that a name refers to, "" for other names.
// It ignores case: a name in lower case shows the same intention, although no
// function has it.
func anonymizer(name string) string {
	function := Plain(name)
	for _, a := range anonymizers {
		if strings.EqualFold(function, a) {
			return a
		}
	}
	return ""
}
