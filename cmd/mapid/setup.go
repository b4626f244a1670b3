package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gomapi/internal/config"
)

// setup is a checked configuration.
type setup struct {
	*config.Config
	problems []config.Problem
	note     string // further information for the administrator; may be empty
}

// configure loads the configuration and selects the devices and formats of this
// daemon. Without a file it uses the built-in configuration, unless the command
// line names a file.
func configure(o *options) (*setup, error) {
	if o.builtin {
		return &setup{Config: all(builders())}, nil
	}
	k := known()
	k.Dir = o.dir
	if o.check {
		k.Find = finders()
	}
	cfg, problems, err := config.Load(o.config, k)
	s := &setup{Config: cfg, problems: problems}
	switch {
	case errors.Is(err, config.ErrNoFile) && o.config == "":
		s.Config = all(builders())
		s.note = fmt.Sprintf("serving every interface that is up: %v", err)
	case err != nil:
		return nil, err
	}
	s.Devices = s.Group(o.group)
	s.Auto = s.Auto && o.group == 0
	return s, nil
}

// servable returns nil, or the reason why there is nothing to serve.
func (s *setup) servable(group int) error {
	switch {
	case s.Auto || len(s.Devices) > 0:
		return nil
	case group != 0:
		return fmt.Errorf("no device of group %d: add a [driver] section with devgroup=%d to %s", group, group, s.where())
	case len(s.Formats) == 0:
		return fmt.Errorf("nothing to serve: add a [driver] or [format] section to %s", s.where())
	}
	return nil
}

func (s *setup) where() string {
	if s.Path == "" {
		return "mapi.conf"
	}
	return s.Path
}

// check prints the problems of the configuration and fails, or prints that
// there are none.
func check(o *options, stdout io.Writer) error {
	s, err := configure(o)
	if err != nil {
		return err
	}
	if s.note != "" {
		fmt.Fprintln(stdout, s.note)
	}
	for _, p := range s.problems {
		fmt.Fprintln(stdout, p)
	}
	if err := s.servable(o.group); err != nil {
		return err
	}
	if len(s.problems) > 0 {
		return errReported
	}
	_, err = fmt.Fprintln(stdout, "OK: "+s.served())
	return err
}

// served describes what the daemon would serve.
func (s *setup) served() string {
	switch {
	case s.Auto:
		return "every interface that is up"
	case len(s.Devices) == 1:
		return "1 device"
	}
	return fmt.Sprintf("%d devices", len(s.Devices))
}

// maxSocket is the maximum length of a socket path in bytes: sun_path of
// unix(7) has 108, including the final NUL.
const maxSocket = 107

// socketPath returns the path of this daemon's socket, if its length is valid.
func socketPath(o *options, local bool) (string, error) {
	path, err := socketPlace(o, local)
	if err == nil && len(path) > maxSocket {
		return "", fmt.Errorf("the socket path has %d bytes, the maximum is %d: choose a shorter one with --socket: %s",
			len(path), maxSocket, path)
	}
	return path, err
}

// socketPlace returns the path of the socket: from the command line, else in
// the home directory with local=1 or without root's rights, else in /run/mapi.
// The name includes the number of a device group.
func socketPlace(o *options, local bool) (string, error) {
	if o.socket != "" {
		return filepath.Abs(o.socket)
	}
	group := ""
	if o.group != 0 {
		group = fmt.Sprint(o.group)
	}
	if !local && os.Geteuid() == 0 {
		return "/run/mapi/mapid" + group + ".sock", nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no directory for the socket: %w (set HOME or use --socket)", err)
	}
	return filepath.Join(home, ".mapid"+group+".sock"), nil
}
