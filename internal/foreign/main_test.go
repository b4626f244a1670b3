package foreign

import (
	"testing"

	"gomapi/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
