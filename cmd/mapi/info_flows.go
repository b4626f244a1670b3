package main

import (
	"cmp"
	"context"
	"fmt"
	"os/user"
	"strconv"
	"strings"
	"time"

	"gomapi/mapi"
)

// A flowObject is a flow in JSON.
type flowObject struct {
	Kind      string          `json:"kind"`
	UID       uint32          `json:"uid"`
	User      string          `json:"user"`    // empty: the uid has no name on this host
	PID       int             `json:"pid"`     // 0: unknown
	Program   string          `json:"program"` // of the process; empty: unknown
	FD        int             `json:"fd"`
	DeviceID  int             `json:"device_id"`
	Device    string          `json:"device"`
	Status    string          `json:"status"`
	Start     *time.Time      `json:"start"` // of connect; null before
	End       *time.Time      `json:"end"`   // of the device; null before
	Functions []appliedObject `json:"functions"`
}

// An appliedObject is a function of a flow in JSON.
type appliedObject struct {
	FID        int      `json:"fid"`
	Name       string   `json:"name"`
	Args       []string `json:"args"`
	Library    string   `json:"library"`
	DevType    string   `json:"device_type"`
	Packets    uint64   `json:"packets"` // that reached it
	Passed     uint64   `json:"passed"`  // that it passed on
	ResultSize int      `json:"result_size"`
}

// flows shows the flows and their functions.
func (t *tool) flows(ctx context.Context, client *mapi.Client) error {
	all, err := client.Flows(ctx)
	if err != nil {
		return err
	}
	for i, f := range all {
		functions, err := client.FlowFunctions(ctx, f.FD)
		if err != nil {
			return err
		}
		switch {
		case t.json:
			err = writeJSON(t.stdout, objectOf(f, functions))
		default:
			err = t.printFlow(i > 0, f, functions)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func objectOf(f mapi.FlowInfo, functions []mapi.FunctionInfo) flowObject {
	o := flowObject{
		Kind: "flow", UID: f.UID, User: userName(f.UID), PID: f.PID, Program: f.Program, FD: f.FD, DeviceID: f.DeviceID, Device: f.Device, Status: f.Status.String(),
		Start: moment(f.Start), End: moment(f.End), Functions: []appliedObject{},
	}
	for _, fn := range functions {
		o.Functions = append(o.Functions, appliedObject{
			FID: fn.FID, Name: fn.Name, Args: append([]string{}, fn.Args...), Library: fn.Library, DevType: fn.DevType,
			Packets: fn.Packets, Passed: fn.Passed, ResultSize: fn.ResultSize,
		})
	}
	return o
}

// moment returns nil for the zero time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// printFlow prints a flow, after an empty line if another precedes it.
func (t *tool) printFlow(another bool, f mapi.FlowInfo, functions []mapi.FunctionInfo) error {
	if another {
		if _, err := fmt.Fprintln(t.stdout); err != nil {
			return err
		}
	}
	tab := newTable(t.stdout, "", "USER", "PID", "PROGRAM", "FD", "DEVICE", "STATUS", "START")
	start := ""
	if !f.Start.IsZero() {
		start = f.Start.Format(time.DateTime)
	}
	tab.row(cmp.Or(userName(f.UID), strconv.Itoa(int(f.UID))), known(f.PID), f.Program, f.FD, f.Device, f.Status, start)
	if err := tab.flush(); err != nil || len(functions) == 0 {
		return err
	}
	tab = newTable(t.stdout, "    ", "FID", "FUNCTION", "ARGUMENTS", "LIBRARY", "PACKETS", "PASSED")
	for _, fn := range functions {
		tab.row(fn.FID, fn.Name, quotedList(fn.Args), fn.Library, fn.Packets, fn.Passed)
	}
	return tab.flush()
}

// userName is the name of a user on this host, empty if there is none.
func userName(uid uint32) string {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return ""
	}
	return u.Username
}

// known formats a number, 0 as an empty string.
func known(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// quotedList joins arguments. It quotes those that are not a single word.
func quotedList(args []string) string {
	texts := make([]string, len(args))
	for i, a := range args {
		if texts[i] = a; a == "" || strings.ContainsAny(a, " \t,\"") {
			texts[i] = strconv.QuoteToGraphic(a)
		}
	}
	return strings.Join(texts, ", ")
}
