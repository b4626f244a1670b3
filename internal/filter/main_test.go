package filter_test

import (
	"os"
	"testing"

	"gomapi/internal/filter"
	"gomapi/internal/leak"
)

func TestMain(m *testing.M) {
	if os.Args[0] == filter.HelperName {
		os.Exit(fakeChild())
	}
	leak.Main(m)
}
