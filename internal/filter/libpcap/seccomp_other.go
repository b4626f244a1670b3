//go:build !amd64 && !arm64

package libpcap

import (
	"errors"
	"runtime"
)

func restrictSyscalls() error {
	return errors.New("system calls of " + runtime.GOARCH + " are not known")
}
