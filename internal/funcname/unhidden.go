package funcname

import (
	"maps"
	"slices"

	"gomapi/internal/mapierr"
)

// Unhidden records the anonymizing functions that could not be applied to a
// flow. A program that ignores the error could otherwise present packets as
// anonymous although they are not.
type Unhidden struct {
	reasons map[string]string // by function; nil: none
}

// maxReason is the maximum length of a recorded error text, in bytes.
const maxReason = 256

// Note records the result of applying a function: err is nil on success.
func (u *Unhidden) Note(name string, err error) {
	function := anonymizer(name)
	switch {
	case function == "":
	case err == nil:
		delete(u.reasons, function)
	default:
		if u.reasons == nil {
			u.reasons = make(map[string]string)
		}
		text := err.Error()
		u.reasons[function] = text[:min(len(text), maxReason)]
	}
}

// Err returns why flow fd must not be connected, nil if it may.
func (u *Unhidden) Err(fd int) error {
	if len(u.reasons) == 0 {
		return nil
	}
	function := slices.Min(slices.Collect(maps.Keys(u.reasons)))
	return mapierr.New(mapierr.CouldNotInitFunction,
		"%s could not be applied to flow %d (%s), so its packets would not be anonymous: apply it, or create a flow without it",
		function, fd, u.reasons[function])
}
