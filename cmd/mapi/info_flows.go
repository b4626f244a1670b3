package main

import (
	"context"
	"fmt"
	"time"

	"gomapi/mapi"
)

// A flowObject is a flow in JSON.
type flowObject struct {
	Kind      string          `json:"kind"`
	UID       uint32          `json:"uid"`
	FD        int             `json:"fd"`
	DeviceID  int             `json:"device_id"`
	Device    string          `json:"device"`
	Status    string          `json:"status"`
	Start     *time.Time      `json:"start"` // of connect, null before
	End       *time.Time      `json:"end"`   // of the device, null before
	Functions []appliedObject `json:"functions"`
}

// An appliedObject is a function of a flow in JSON.
type appliedObject struct {
	FID        int    `json:"fid"`
	Name       string `json:"name"`
	Library    string `json:"library"`
	DevType    string `json:"device_type"`
	Packets    uint64 `json:"packets"` // that reached it
	Passed     uint64 `json:"passed"`  // that went on
	ResultSize int    `json:"result_size"`
}

// flows shows the flows, each with its functions.
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
		Kind: "flow", UID: f.UID, FD: f.FD, DeviceID: f.DeviceID, Device: f.Device, Status: f.Status.String(),
		Start: moment(f.Start), End: moment(f.End), Functions: []appliedObject{},
	}
	for _, fn := range functions {
		o.Functions = append(o.Functions, appliedObject{
			FID: fn.FID, Name: fn.Name, Library: fn.Library, DevType: fn.DevType,
			Packets: fn.Packets, Passed: fn.Passed, ResultSize: fn.ResultSize,
		})
	}
	return o
}

// moment returns nil for a time that has not come.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// printFlow prints a flow, behind an empty line where another came before.
func (t *tool) printFlow(another bool, f mapi.FlowInfo, functions []mapi.FunctionInfo) error {
	if another {
		if _, err := fmt.Fprintln(t.stdout); err != nil {
			return err
		}
	}
	tab := newTable(t.stdout, "", "UID", "FD", "DEVICE", "FUNCTIONS", "STATUS", "START")
	start := ""
	if !f.Start.IsZero() {
		start = f.Start.Format(time.DateTime)
	}
	tab.row(f.UID, f.FD, f.Device, f.Functions, f.Status, start)
	if err := tab.flush(); err != nil || len(functions) == 0 {
		return err
	}
	tab = newTable(t.stdout, "    ", "FID", "FUNCTION", "LIBRARY", "PACKETS", "PASSED")
	for _, fn := range functions {
		tab.row(fn.FID, fn.Name, fn.Library, fn.Packets, fn.Passed)
	}
	return tab.flush()
}
