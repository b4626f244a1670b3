package funccall_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gomapi/internal/funccall"
)

// wantNumber checks the number of a constant.
func wantNumber(t *testing.T, name string, want int64) {
	t.Helper()
	if got, ok := funccall.Number(name); !ok || got != want {
		t.Errorf("%s is %v, %v, want %d", name, got, ok, want)
	}
}

// TestConstantsOfHeaders compares with the constants for arguments in the C headers.
func TestConstantsOfHeaders(t *testing.T) {
	define := regexp.MustCompile(`(?m)^#define ((?:BINOP|TYPE|TR)_\w+|PERIODIC|PROBABILISTIC) +(\d+)`)
	enum := regexp.MustCompile(`enum (?:mapi_file_formats|toba_flg|pktinfo|res2file_format) \{([^}]*)\}`)
	comment := regexp.MustCompile(`/\*[^*]*\*/`)
	found := 0
	for _, name := range []string{"mapi.h", "mapi/binop.h", "mapi/pktinfo.h", "mapi/res2file.h", "mapi/sample.h", "mapi/threshold.h"} {
		b, err := os.ReadFile(filepath.Join("../../cmd/libmapi/include", name))
		if err != nil {
			t.Fatal(err)
		}
		text := comment.ReplaceAllString(string(b), "")
		for _, m := range define.FindAllStringSubmatch(text, -1) {
			n, _ := strconv.ParseInt(m[2], 10, 64)
			wantNumber(t, m[1], n)
			found++
		}
		for _, m := range enum.FindAllStringSubmatch(text, -1) {
			for i, word := range strings.Split(strings.TrimRight(m[1], ", \n\t"), ",") {
				word, _, _ = strings.Cut(strings.TrimSpace(word), " ") // all begin with 0
				wantNumber(t, word, int64(i))
				found++
			}
		}
	}
	if found != 28 {
		t.Errorf("the headers have %d constants for arguments", found)
	}
	wantNumber(t, "DETERMINISTIC", 2)
}

// TestConstantsOfPackage compares with the description of package mapi.
func TestConstantsOfPackage(t *testing.T) {
	b, err := os.ReadFile("../arch/testdata/api/mapi.txt")
	if err != nil {
		t.Fatal(err)
	}
	arguments := []string{"SampleMode", "PktField", "BinopType", "ThresholdType", "Boundary", "Format", "WaitMode", "untyped int"}
	found := 0
	for _, m := range regexp.MustCompile(`(?m)^const (\w+) (.+) = (\d+)$`).FindAllStringSubmatch(string(b), -1) {
		if slices.Contains(arguments, m[2]) {
			n, _ := strconv.ParseInt(m[3], 10, 64)
			wantNumber(t, m[1], n)
			wantNumber(t, "mapi."+m[1], n)
			found++
		}
	}
	if found != 29 {
		t.Errorf("the package has %d constants for arguments", found)
	}
}
