// Package funcname reads the names of functions as programs write them.
package funcname

import "strings"

// Split takes a name apart, [library:]NAME[!oid]. What is not there is empty.
func Split(name string) (library, function, oid string) {
	library, rest, found := strings.Cut(name, ":")
	if !found {
		library, rest = "", name
	}
	function, oid, _ = strings.Cut(rest, "!")
	return library, function, oid
}

// Plain is the name without its library and what may follow it.
func Plain(name string) string {
	_, function, _ := Split(name)
	return function
}

// anonymizers are the functions of the original that hide who has sent a packet.
var anonymizers = [...]string{"ANONYMIZE", "ANONYMIZEIP"}

// anonymizer returns which of the anonymizers a name stands for, "" for others. Who
// writes it in small letters means it, though no function has that name.
func anonymizer(name string) string {
	function := Plain(name)
	for _, a := range anonymizers {
		if strings.EqualFold(function, a) {
			return a
		}
	}
	return ""
}
