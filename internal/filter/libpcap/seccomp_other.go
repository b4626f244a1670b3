//go:build !amd64 && !arm64

package libpcap

import (
	"errors"
	"runtime"
)

func restrictSyscalls() error {
	return errors.New("the system calls of " + runtime.GOARCH + " are unknown")
}
