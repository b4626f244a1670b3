package principal

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
)

const subUIDFile = "/etc/subuid"

// maxSubUIDs limits the bytes read of a file of ranges.
const maxSubUIDs = 1 << 20

// subUIDs is the path of a file in the format of subuid(5): name:first:count.
type subUIDs string

// owner returns the user who may use uid in user namespaces. The file is read anew, because
// this happens only if nothing better is known.
func (path subUIDs) owner(uid uint32) (uint32, bool) {
	f, err := os.Open(string(path))
	if err != nil {
		return 0, false
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, maxSubUIDs))
	for lines.Scan() {
		fields := strings.Split(strings.TrimSpace(lines.Text()), ":")
		if len(fields) != 3 {
			continue
		}
		first, err1 := strconv.ParseUint(fields[1], 10, 32)
		count, err2 := strconv.ParseUint(fields[2], 10, 32)
		if err1 != nil || err2 != nil || uint64(uid) < first || uint64(uid) >= first+count {
			continue
		}
		if owner, err := User(fields[0]); err == nil {
			return owner, true
		}
	}
	return 0, false
}
