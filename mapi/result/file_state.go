package result

import (
	"encoding/binary"
	"fmt"
)

// FileStateSize is the size of a FileState: one int32.
const FileStateSize = 4

// FileState is the result of TO_FILE.
type FileState int32

// States of a file.
const (
	FileFailed  FileState = -1 // a write has failed, the rest is lost
	FileDone    FileState = 0  // the limit is reached or the device has ended: everything is in the file
	FileWriting FileState = 11
)

func (s FileState) String() string {
	switch s {
	case FileFailed:
		return "failed"
	case FileDone:
		return "done"
	case FileWriting:
		return "writing"
	}
	return fmt.Sprintf("state %d", int32(s))
}

// ParseFileState decodes the state of a file. It returns false if b is too
// short.
func ParseFileState(b []byte) (FileState, bool) {
	if len(b) < FileStateSize {
		return 0, false
	}
	return FileState(int32(binary.NativeEndian.Uint32(b))), true
}
