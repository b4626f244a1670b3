package mapi

import (
	"context"

	"gomapi/internal/mapierr"
)

// The information calls come in pairs: one returns the entry with a number, the
// other, Next, the first entry with a higher number. A loop over all entries
// starts at -1 (0 for flows and functions) and continues with the number
// returned.

// GetDeviceInfo describes the device with a number. It returns 6157 if there is
// none.
func GetDeviceInfo(id int) (DeviceInfo, error) {
	return deviceInfo(id, false)
}

// GetNextDeviceInfo describes the device with the next higher number. Start at
// -1 for live devices, or at a very low number to include offline devices. It
// returns 6157 if there is none.
func GetNextDeviceInfo(id int) (DeviceInfo, error) {
	return deviceInfo(id, true)
}

func deviceInfo(id int, next bool) (DeviceInfo, error) {
	info, err := one(std.client.devices(context.Background(), clamp(id), next, 1))
	return info, std.client.fail(err, "info of device %d", id)
}

// GetLibraryInfo describes the function library with a number. It returns 7009
// if there is none.
func GetLibraryInfo(id int) (LibraryInfo, error) { return libraryInfo(id, false) }

// GetNextLibraryInfo describes the library with the next higher number. It
// returns 7009 if there is none.
func GetNextLibraryInfo(id int) (LibraryInfo, error) { return libraryInfo(id, true) }

func libraryInfo(id int, next bool) (LibraryInfo, error) {
	info, err := one(std.client.libraries(context.Background(), clamp(id), next, 1))
	return info, std.client.fail(err, "info of library %d", id)
}

// GetLibFunctInfo describes function n of a library. It returns 7009 if there
// is none.
func GetLibFunctInfo(library, n int) (LibFunctInfo, error) {
	return libFunctInfo(library, n, false)
}

// GetNextLibFunctInfo describes the function with the next higher number. It
// returns 7009 if there is none.
func GetNextLibFunctInfo(library, n int) (LibFunctInfo, error) {
	return libFunctInfo(library, n, true)
}

func libFunctInfo(library, n int, next bool) (LibFunctInfo, error) {
	info, err := one(std.client.libraryFunctions(context.Background(), clamp(library), clamp(n), next, 1))
	return info, std.client.fail(err, "info of function %d of library %d", n, library)
}

// GetFlowInfo describes a flow. Errors: 6141 nothing was created yet, 6145 no
// such flow.
func GetFlowInfo(fd int) (FlowInfo, error) {
	info, err := FlowInfo{}, std.initialized()
	if err == nil && fd <= 0 {
		err = mapierr.New(ErrInvalidFlow, "%d is not the number of a flow", fd)
	}
	if err == nil {
		info, err = one(std.client.flows(context.Background(), clamp(fd), false, 1))
	}
	return info, std.client.fail(err, "info of flow %d", fd)
}

// GetNextFlowInfo describes the flow with the next higher number: flows of the
// program first, then, with numbers of 1<<30 or more, those of the user's other
// programs (of all programs for root). A negative number counts as 0. Errors if
// there is none: 6149 if the given number is 0 or an existing flow, 6145 if no
// flow has this number.
func GetNextFlowInfo(fd int) (FlowInfo, error) {
	info, err := one(std.client.flows(context.Background(), clamp(max(fd, 0)), true, 1))
	return info, std.client.fail(err, "info of the flow after %d", fd)
}

// GetFunctionInfo describes a function of a flow. Errors: 6141 nothing was
// created yet or no such flow, 6147 a number is not positive, 6150 no such
// function.
func GetFunctionInfo(fd, fid int) (FunctionInfo, error) {
	info, err := FunctionInfo{}, std.initialized()
	if err == nil && (fd <= 0 || fid <= 0) {
		err = mapierr.New(ErrInvalidFunction, "%d, %d are not the numbers of a flow and a function", fd, fid)
	}
	if err == nil {
		info, err = one(std.client.functions(context.Background(), clamp(fd), clamp(fid), false, 1))
	}
	return info, std.client.fail(err, "info of function %d of flow %d", fid, fd)
}

// GetNextFunctionInfo describes the function of a flow with the next higher
// number. Errors: 6147 fd is not positive or fid is negative, 6141 no such
// flow, 6150 no more functions.
func GetNextFunctionInfo(fd, fid int) (FunctionInfo, error) {
	var info FunctionInfo
	var err error
	if fd <= 0 || fid < 0 {
		err = mapierr.New(ErrInvalidFunction, "%d, %d are not the numbers of a flow and a function", fd, fid)
	} else {
		info, err = one(std.client.functions(context.Background(), clamp(fd), clamp(fid), true, 1))
	}
	return info, std.client.fail(err, "info of the function after %d of flow %d", fid, fd)
}

// initialized returns 6141 before the first flow or offline device is created.
func (d *defaults) initialized() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.inited {
		return errNotInitialized
	}
	return nil
}

// clamp limits a number to the range of messages.
func clamp(n int) int { return min(max(n, -1<<31), 1<<31-1) }
