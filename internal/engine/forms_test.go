package engine

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"gomapi/flib"
	"gomapi/internal/foreign/foreigntest"
	"gomapi/internal/mapierr"
)

// formsLibrary has a function F for network interfaces and one for any device, which fail
// with these errors, or not at all.
func formsLibrary(hardware, software func() error) flib.Library {
	form := func(devType string, refuse func() error) flib.Def {
		return flib.Def{
			Name: "F", DevType: devType, Args: []flib.Arg{{Name: "file", Kind: flib.File}},
			New: func(_ context.Context, env flib.Env, _ flib.Args) (flib.Function, error) {
				if _, err := env.NewResult(8); err != nil {
					return nil, err
				}
				if err := refuse(); err != nil {
					return nil, err
				}
				return &script{}, nil
			},
		}
	}
	return flib.Library{Name: "forms", Functions: []flib.Def{form("1.3", hardware), form("", software)}}
}

// TestSoftwareForm applies a function that the device cannot run itself.
func TestSoftwareForm(t *testing.T) {
	fails := func(code mapierr.Code, text string) func() error {
		return func() error { return mapierr.New(code, "%s", text) }
	}
	works := func() error { return nil }
	for _, c := range []struct {
		what               string
		name               string
		hardware, software func() error
		code               mapierr.Code
		devType            string   // of the form that was applied
		says               []string // in the error, in this order
	}{
		{what: "hardware works", name: "F", hardware: works, software: works, devType: "1.3"},
		{what: "hardware refuses", name: "F", hardware: fails(7006, "card full"), software: works, devType: "1"},
		{what: "another error", name: "F", hardware: fails(7000, "bad"), software: works, code: 7000, says: []string{"bad"}},
		{what: "an error without number", name: "F", hardware: func() error { return errors.New("broken") }, software: works,
			code: 7006, says: []string{"broken"}},
		{what: "a fault", name: "F", hardware: func() error { panic("defect") }, software: works, code: 7006, says: []string{"defect"}},
		{what: "both refuse", name: "F", hardware: fails(7006, "card full"), software: fails(7006, "too slow"),
			code: 7006, says: []string{"too slow", "1.3", "card full"}},
		{what: "software fails", name: "F", hardware: fails(7006, "card full"), software: fails(1025, "syntax"),
			code: 1025, says: []string{"syntax", "1.3", "card full"}},
		{what: "hardware demanded", name: "F!1.3", hardware: fails(7006, "card full"), software: works, code: 7006, says: []string{"card full"}},
		{what: "any demanded", name: "F!1", hardware: fails(7006, "card full"), software: works, code: 7006, says: []string{"card full"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			client := newBed(t, formsLibrary(c.hardware, c.software)).client(1)
			fd, _ := client.flow()
			file, err := os.Create(t.TempDir() + "/file")
			if err != nil {
				t.Fatal(err)
			}
			own := foreigntest.Own(t, file)
			isOpen := func() bool { return own.Use(func(int) error { return nil }) == nil }
			a, err := client.Apply(t.Context(), fd, c.name, []any{flib.OpenFile{File: own}})
			wantCode(t, "apply", err, c.code)
			if err == nil {
				if a.DevType != c.devType || a.FID != 1 || !a.HasResult {
					t.Errorf("applied %+v, want the form for %s", a, c.devType)
				}
				if !isOpen() {
					t.Error("the file was closed")
				}
				return
			}
			text := err.Error()
			for _, part := range c.says {
				_, rest, found := strings.Cut(text, part)
				if !found {
					t.Errorf("error %q, want %q in this order", err, c.says)
				}
				text = rest
			}
			if isOpen() {
				t.Error("the file is open after the error")
			}
			if infos, err := client.Functions(fd); err != nil || len(infos) != 0 {
				t.Errorf("the flow has functions %v, %v", infos, err)
			}
		})
	}
}
