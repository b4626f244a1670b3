// A module of its own: what it compares with is not needed to build gomapi.
module gomapi/internal/table/compare

go 1.26.0

require (
	github.com/orcaman/concurrent-map/v2 v2.0.1
	gomapi v0.0.0
)

require golang.org/x/sys v0.49.0 // indirect

replace gomapi => ../../..
