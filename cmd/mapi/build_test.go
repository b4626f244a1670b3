package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestLinksNoCapture checks that the tool and package mapi link no capture
// code.
func TestLinksNoCapture(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "gomapi/cmd/mapi", "gomapi/mapi").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 10 {
		t.Fatalf("go list says %q", out)
	}
	for _, dep := range deps {
		for _, forbidden := range []string{
			"gomapi/drivers", "gomapi/flib", "gomapi/internal/engine", "gomapi/internal/daemon", "gomapi/internal/filter",
			"github.com/google/gopacket",
		} {
			if dep == forbidden || strings.HasPrefix(dep, forbidden+"/") {
				t.Errorf("%s is linked: programs of users leave capturing to mapid", dep)
			}
		}
	}
}

func TestBuildsWithoutC(t *testing.T) {
	cmd := exec.Command("go", "build", "-o", t.TempDir(), "gomapi/cmd/mapi", "gomapi/mapi")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
