package libpcap

import (
	"os"
	"testing"

	"gomapi/internal/leak"
)

func TestMain(m *testing.M) {
	ServeIfHelper()
	switch os.Args[0] {
	case proberName:
		os.Exit(probe())
	case parentName:
		os.Exit(probeAsParent())
	case namelessName:
		os.Exit(compileNameless())
	}
	leak.Main(m)
}
