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

// sysconfdir is the directory of the installed configuration. The linker sets
// it: -X gomapi/internal/config.sysconfdir=/opt/etc.
var sysconfdir = "/usr/local/etc"

// SearchPath is the list of files that Load tries by default.
func SearchPath() string {
	files := []string{sysconfdir + "/mapi/mapi.conf", "/etc/mapi/mapi.conf", "/etc/mapi.conf"}
	return strings.Join(slices.Compact(files), ":")
}

// maxFile is the maximum size of a file in bytes.
const maxFile = 1 << 20

// ErrNoFile is wrapped in the error of Load if no file of the list can be
// opened.
var ErrNoFile = errors.New("no file can be read")

// Load reads the first readable file of path, a colon-separated list. An empty
// path means SearchPath. Load returns the valid part of the file and all
// problems in line order. Its error is 6155, which wraps ErrNoFile if no file
// could be opened; then the Config is nil.
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
		// Open must not wait for the writer of a pipe. readAll rejects pipes.
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

// readAll reads a regular file of at most maxFile bytes. It rejects pipes and
// devices, because reading them may never end.
func readAll(f *os.File) ([]byte, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file: pipes, devices and directories are not read")
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
