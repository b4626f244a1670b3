package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"gomapi/internal/mapierr"
)

// sysconfdir is where this build is installed with its configuration. It is set
// by the linker: -X gomapi/internal/config.sysconfdir=/opt/etc.
var sysconfdir = "/usr/local/etc"

// SearchPath is the list of files that Load tries when it is given none.
func SearchPath() string {
	files := []string{sysconfdir + "/mapi/mapi.conf", "/etc/mapi/mapi.conf", "/etc/mapi.conf"}
	return strings.Join(slices.Compact(files), ":")
}

// maxFile bounds the size of a file in bytes.
const maxFile = 1 << 20

// ErrNoFile is in the error of Load when no file of the list can be opened.
var ErrNoFile = errors.New("no file can be read")

// Load reads the first readable file of path, a list separated by colons; an
// empty path stands for SearchPath. It returns what is usable of the file and
// every mistake in it, in line order. The error is 6155, with ErrNoFile when no
// file could be opened; the Config is nil then.
func Load(path string, known Known) (*Config, []Problem, error) {
	if path == "" {
		path = SearchPath()
	}
	f, err := openFirst(strings.Split(path, ":"), known)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	text, err := readAll(f)
	if err != nil {
		return nil, nil, mapierr.Wrap(mapierr.File, "read configuration "+f.Name(), err)
	}
	return parse(f.Name(), text, known)
}

func openFirst(paths []string, known Known) (*os.File, error) {
	var reasons []string
	for _, p := range paths {
		if p == "" {
			continue
		}
		// A pipe must not make anybody wait for its writer: readAll refuses it.
		f, err := os.OpenFile(known.path(p), os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err == nil {
			return f, nil
		}
		reasons = append(reasons, err.Error())
	}
	if len(reasons) == 0 {
		reasons = []string{"the list of files is empty"}
	}
	return nil, mapierr.Wrap(mapierr.File, "find the configuration",
		fmt.Errorf("%w: %s", ErrNoFile, strings.Join(reasons, ", ")))
}

// readAll reads a regular file of at most maxFile bytes. Pipes and devices are
// refused: reading them may never end.
func readAll(f *os.File) ([]byte, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("it is no regular file: pipes, devices and folders are not read")
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("it has more than %d bytes", maxFile)
	}
	return text, nil
}

// parse checks a whole file and builds its Config.
func parse(file string, text []byte, known Known) (*Config, []Problem, error) {
	r := &report{file: file}
	idx := indexLines(text, r)
	sections, err := readValues(idx)
	if err != nil {
		return nil, nil, mapierr.Wrap(mapierr.File, "read configuration "+file, err)
	}
	b := builder{report: r, known: known, cfg: &Config{
		Path:       file,
		DimapiPort: DefaultDimapiPort,
		LogLevel:   DefaultLogLevel,
	}}
	b.build(sections)
	return b.cfg, r.sorted(), nil
}
