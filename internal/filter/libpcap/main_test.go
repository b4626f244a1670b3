package libpcap

import (
	"os"
	"testing"

	"gomapi/internal/leak"
)

func TestMain(m *testing.M) {
	ServeIfHelper()
	if os.Args[0] == proberName {
		os.Exit(probe())
	}
	leak.Main(m)
}
