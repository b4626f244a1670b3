package filter

import (
	"os"
	"testing"

	"gomapi/internal/leak"
)

func TestMain(m *testing.M) {
	if os.Args[0] == HelperName {
		os.Exit(fakeChild())
	}
	leak.Main(m)
}
