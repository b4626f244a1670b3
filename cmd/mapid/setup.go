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
	note     string // what the administrator should know besides; may be empty
}

// configure loads the configuration and picks what this daemon serves. Without
// a file the built-in configuration holds, unless one was asked for.
func configure(o *options) (*setup, error) {
	if o.builtin {
		return &setup{Config: config.Default()}, nil
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
		s.Config = config.Default()
		s.note = fmt.Sprintf("serving every interface that is up: %v", err)
	case err != nil:
		return nil, err
	}
	s.Devices = s.Group(o.group)
	s.Auto = s.Auto && o.group == 0
	return s, nil
}

// servable reports why there is nothing to serve, nil when there is.
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

// check prints what is wrong with the configuration, and fails, or that nothing is.
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

// served words what the daemon would serve.
func (s *setup) served() string {
	switch {
	case s.Auto:
		return "every interface that is up"
	case len(s.Devices) == 1:
		return "1 device"
	}
	return fmt.Sprintf("%d devices", len(s.Devices))
}

// maxSocket bounds the path of a socket in bytes: sun_path of unix(7) has 108,
// with a NUL at the end.
const maxSocket = 107

// socketPath says where clients find this daemon, as far as the system allows.
func socketPath(o *options, local bool) (string, error) {
	path, err := socketPlace(o, local)
	if err == nil && len(path) > maxSocket {
		return "", fmt.Errorf("the path of the socket has %d bytes, %d are possible: choose a shorter one with --socket: %s",
			len(path), maxSocket, path)
	}
	return path, err
}

// socketPlace says where the socket should be: where the command line says,
// else in the home directory with local=1 or without root's rights, else in
// /run/mapi. A device group has its number in the name.
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
		return "", fmt.Errorf("no place for the socket: %w (set HOME or use --socket)", err)
	}
	return filepath.Join(home, ".mapid"+group+".sock"), nil
}
