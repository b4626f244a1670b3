package acceptance

import (
	"fmt"
	"os/exec"
)

// tcpdump runs tcpdump. The error contains its messages.
func tcpdump(args ...string) error {
	if out, err := exec.Command("tcpdump", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("tcpdump: %w: %s", err, out)
	}
	return nil
}
