package funcname

import (
	"maps"
	"slices"

	"gomapi/internal/mapierr"
)

// Unhidden is what packets of a flow would show that they were to hide: functions that
// anonymize, and could not be applied. A program may not look at the error, and then
// show packets as anonymous that are not.
type Unhidden struct {
	reasons map[string]string // by function; nil: none
}

// maxReason bounds the text that is kept of an error, in bytes.
const maxReason = 256

// Note takes down how a function was applied: err is nil when it was.
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

// Err is why flow fd must not be connected, nil when it may.
func (u *Unhidden) Err(fd int) error {
	if len(u.reasons) == 0 {
		return nil
	}
	function := slices.Min(slices.Collect(maps.Keys(u.reasons)))
	return mapierr.New(mapierr.CouldNotInitFunction,
		"%s could not be applied to flow %d (%s), so its packets would not be anonymous: apply it, or create a flow without it",
		function, fd, u.reasons[function])
}
