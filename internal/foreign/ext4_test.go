package foreign_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// mountExt4 mounts a small file system, half of which is reserved for root, until the end of the test. It
// skips the test where that is not possible.
func mountExt4(t *testing.T) string {
	t.Helper()
	image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 8<<20))
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-m", "50", "-O", "^has_journal", image}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%v: %v %s", command, err, out)
		}
	}
	t.Cleanup(func() { must(t, exec.Command("umount", "-l", dir).Run()) })
	return dir
}
