package mapi_test

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"gomapi/flib/stdflib"
	"gomapi/mapi"
	"gomapi/mapi/mapitest"
)

func wantCode(t *testing.T, what string, err error, want mapi.Code) {
	t.Helper()
	var e *mapi.Error
	switch {
	case want == 0 && err != nil:
		t.Errorf("%s: %v", what, err)
	case want != 0 && !errors.As(err, &e):
		t.Errorf("%s: %v, want error %d", what, err, int(want))
	case want != 0 && e.Code != want:
		t.Errorf("%s: %v, want error %d", what, err, int(want))
	}
}

// fresh runs the test again in a separate process, in which nothing was created
// yet, and reports whether this is that process.
func fresh(t *testing.T) bool {
	if os.Getenv("MAPI_TEST_FRESH") != "" {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "MAPI_TEST_FRESH=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// TestDaemonsInTurn uses the default client with one daemon after the other,
// like tests of programs do. No daemon may get the connection to an earlier
// one.
func TestDaemonsInTurn(t *testing.T) {
	if !fresh(t) {
		return
	}
	for range 100 {
		t.Run("", func(t *testing.T) {
			d := mapitest.Start(t)
			t.Setenv("MAPI_SOCKET", d.Socket())
			fd, err := mapi.CreateFlow("eth0")
			must(err)
			fid, err := mapi.ApplyFunction(fd, "PKT_COUNTER")
			must(err)
			must(mapi.Connect(fd))
			must(d.Device("eth0").Send(mapitest.Packet{Data: packet(0)}))
			if r, err := mapi.ReadResults(fd, fid); r.Uint64() != 1 || err != nil {
				t.Errorf("%d packets, %v", r.Uint64(), err)
			}
		})
	}
}

func TestBeforeAnything(t *testing.T) {
	if !fresh(t) {
		return
	}
	wantCode(t, "connect", mapi.Connect(1), mapi.ErrNotInitialized)
	_, err := mapi.ApplyFunction(1, "PKT_COUNTER")
	wantCode(t, "apply", err, mapi.ErrNotInitialized)
	_, err = mapi.ReadResults(1, 1)
	wantCode(t, "read results", err, mapi.ErrNotInitialized)
	_, err = mapi.GetNextPkt(1, 1)
	wantCode(t, "packet", err, mapi.ErrNotInitialized)
	_, err = mapi.Loop(1, 1, 1, nil)
	wantCode(t, "loop", err, mapi.ErrNotInitialized)
	wantCode(t, "close", mapi.CloseFlow(1), mapi.ErrNotInitialized)
	wantCode(t, "start offline device", mapi.StartOfflineDevice("x"), mapi.ErrNotInitialized)
	wantCode(t, "delete offline device", mapi.DeleteOfflineDevice("x"), mapi.ErrNotInitialized)
	_, err = mapi.GetFlowInfo(1)
	wantCode(t, "flow info", err, mapi.ErrNotInitialized)
	_, err = mapi.GetFunctionInfo(1, 1)
	wantCode(t, "function info", err, mapi.ErrNotInitialized)
}

// TestErrorPairs checks the pairs of state and error number that the original's
// tests assert.
func TestErrorPairs(t *testing.T) {
	_, err := mapi.CreateFlow("HOW CARES")
	wantCode(t, `create flow on "HOW CARES"`, err, mapi.ErrNoDriver)
	_, err = mapi.CreateFlow("")
	wantCode(t, "create flow on nothing", err, mapi.ErrDeviceInfo)

	fd, err := mapi.CreateFlow("net0")
	wantCode(t, "create flow", err, 0)
	fid, err := mapi.ApplyFunction(fd, "PKT_COUNTER")
	wantCode(t, "apply", err, 0)
	filter, err := mapi.ApplyFunction(fd, "BPF_FILTER", "tcp")
	wantCode(t, "apply", err, 0)

	wantCode(t, "close an unknown flow", mapi.CloseFlow(13244), mapi.ErrInvalidFlow)
	wantCode(t, "close flow -1", mapi.CloseFlow(-1), mapi.ErrInvalidFlow)
	wantCode(t, "connect an unknown flow", mapi.Connect(13244), mapi.ErrInvalidFlow)
	wantCode(t, "connect flow 0", mapi.Connect(0), mapi.ErrInvalidFlow)

	_, err = mapi.ReadResults(fd, fid)
	wantCode(t, "read before connect", err, mapi.ErrFlowNotConnected)
	_, err = mapi.ReadResults(123, fid)
	wantCode(t, "read an unknown flow", err, mapi.ErrInvalidFlow)
	_, err = mapi.ReadResults(fd, -1244655)
	wantCode(t, "read function -1244655", err, mapi.ErrInvalidFlow)
	_, err = mapi.ReadResults(-1, fid)
	wantCode(t, "read flow -1", err, mapi.ErrInvalidFlow)

	apply := func(what string, want mapi.Code, fd int, name string, args ...any) {
		t.Helper()
		_, err := mapi.ApplyFunction(fd, name, args...)
		wantCode(t, what, err, want)
	}
	apply("unknown function", mapi.ErrFunctionNotFound, fd, "IMAGINARY FUNCTION")
	apply("function without name", mapi.ErrCouldNotApplyFunction, fd, "")
	apply("apply to flow -12314", mapi.ErrInvalidFunction, -12314, "PKT_COUNTER")
	apply("apply to an unknown flow", mapi.ErrInvalidFlow, 4711, "PKT_COUNTER")
	apply("garbage filter", mapi.ErrPcapBPF, fd, "BPF_FILTER", "!@#$ garbage")
	apply("empty filter", mapi.ErrInvalidArgument1, fd, "BPF_FILTER", "")
	apply("missing argument", mapi.ErrInvalidArgument1, fd, "BPF_FILTER")
	apply("surplus argument", mapi.ErrInvalidArgument2, fd, "BPF_FILTER", "tcp", 1)
	apply("argument of another type", mapi.ErrInvalidArgument1, fd, "BPF_FILTER", 80)
	apply("argument that cannot be passed", mapi.ErrInvalidArgument1, fd, "BPF_FILTER", 1.5)
	apply("surplus argument of a counter", 0, fd, "PKT_COUNTER", 1)
	apply("search without pattern", mapi.ErrInvalidArgument1, fd, "STR_SEARCH", "", 0, 0)
	apply("search from offset -120", mapi.ErrInvalidArgument2, fd, "STR_SEARCH", "www", -120, 0)
	apply("search of depth -1", mapi.ErrInvalidArgument3, fd, "STR_SEARCH", "www", 0, -1)
	apply("hex block without end", mapi.ErrStrSearchPipe, fd, "STR_SEARCH", "a|b", 0, 0)
	apply("depth less than the pattern", mapi.ErrStrSearchDepth, fd, "STR_SEARCH", "www", 0, 2)
	apply("pattern of nothing", mapi.ErrStrSearchPattern, fd, "STR_SEARCH", "||", 0, 0)
	apply("pattern of any bytes", 0, fd, "STR_SEARCH", []byte{0xff, 0xfe, 1}, 0, 0)
	apply("sample without mode", mapi.ErrInvalidArgument2, fd, "SAMPLE", 20)
	apply("sample", 0, fd, "SAMPLE", 20, mapi.SamplePeriodic)

	wantCode(t, "connect", mapi.Connect(fd), 0)
	wantCode(t, "second connect", mapi.Connect(fd), mapi.ErrFlowAlreadyActive)
	apply("apply after connect", mapi.ErrCouldNotApplyFunction, fd, "PKT_COUNTER")
	apply("garbage filter after connect", mapi.ErrCouldNotApplyFunction, fd, "BPF_FILTER", "!@#$ garbage")
	_, err = mapi.ReadResults(fd, 3123)
	wantCode(t, "read an unknown function", err, mapi.ErrInvalidFunction)
	_, err = mapi.ReadResults(fd, filter)
	wantCode(t, "read a function without result", err, mapi.ErrNoResult)
	_, err = mapi.ReadResults(fd, fid)
	wantCode(t, "read", err, 0)

	_, err = mapi.IsRemote(4711)
	wantCode(t, "is an unknown flow remote", err, mapi.ErrInvalidFlow)
	if n, err := mapi.GetScopeSize(fd); n != 1 || err != nil {
		t.Errorf("scope size %d, %v, want 1", n, err)
	}
	wantCode(t, "close", mapi.CloseFlow(fd), 0)
	wantCode(t, "second close", mapi.CloseFlow(fd), mapi.ErrInvalidFlow)
	_, err = mapi.ReadResults(fd, fid)
	wantCode(t, "read a closed flow", err, mapi.ErrInvalidFlow)
}

func TestInfoErrorPairs(t *testing.T) {
	if !fresh(t) { // flows of other tests would be visible
		return
	}
	fd, err := mapi.CreateFlow("net0")
	must(err)
	defer mapi.CloseFlow(fd)
	fid, err := mapi.ApplyFunction(fd, "PKT_COUNTER")
	must(err)

	_, err = mapi.GetFlowInfo(0)
	wantCode(t, "info of flow 0", err, mapi.ErrInvalidFlow)
	_, err = mapi.GetFlowInfo(12345)
	wantCode(t, "info of an unknown flow", err, mapi.ErrInvalidFlow)
	_, err = mapi.GetNextFlowInfo(12345)
	wantCode(t, "info after an unknown flow", err, mapi.ErrInvalidFlow)
	_, err = mapi.GetNextFlowInfo(1<<31 - 1)
	wantCode(t, "info after the highest number", err, mapi.ErrInvalidFlow)
	_, err = mapi.GetNextFlowInfo(fd)
	wantCode(t, "info after the last flow", err, mapi.ErrFlowInfo)
	_, err = mapi.GetFunctionInfo(12375, fid)
	wantCode(t, "function of an unknown flow", err, mapi.ErrNotInitialized)
	_, err = mapi.GetFunctionInfo(fd, 3123)
	wantCode(t, "unknown function", err, mapi.ErrFunctionInfo)
	_, err = mapi.GetFunctionInfo(fd, 0)
	wantCode(t, "function 0", err, mapi.ErrInvalidFunction)
	_, err = mapi.GetNextFunctionInfo(0, 0)
	wantCode(t, "next function of flow 0", err, mapi.ErrInvalidFunction)
	_, err = mapi.GetNextFunctionInfo(12375, 0)
	wantCode(t, "next function of an unknown flow", err, mapi.ErrNotInitialized)
	_, err = mapi.GetNextFunctionInfo(fd, fid)
	wantCode(t, "next function after the last", err, mapi.ErrFunctionInfo)
	_, err = mapi.GetDeviceInfo(99)
	wantCode(t, "unknown device", err, mapi.ErrDeviceInfo)
	_, err = mapi.GetNextDeviceInfo(99)
	wantCode(t, "device after the last", err, mapi.ErrDeviceInfo)
	_, err = mapi.GetLibraryInfo(5)
	wantCode(t, "unknown library", err, mapi.ErrNotSupported)
	_, err = mapi.GetLibFunctInfo(0, 99)
	wantCode(t, "unknown library function", err, mapi.ErrNotSupported)
}

func TestInfo(t *testing.T) {
	fd, err := mapi.CreateFlow("uplink")
	must(err)
	defer mapi.CloseFlow(fd)
	fid, err := mapi.ApplyFunction(fd, "stdflib:PKT_COUNTER")
	must(err)
	flow, err := mapi.GetFlowInfo(fd)
	if err != nil || flow.FD != fd || flow.Device != "net0" || flow.DeviceID != 1 || flow.Functions != 1 ||
		flow.Status != mapi.FlowInit || int(flow.UID) != os.Geteuid() || !flow.Start.IsZero() {
		t.Errorf("flow is %+v, %v", flow, err)
	}
	must(mapi.Connect(fd))
	if flow, _ = mapi.GetFlowInfo(fd); flow.Status != mapi.FlowActive || flow.Start.IsZero() {
		t.Errorf("connected flow is %+v", flow)
	}
	send(packet(0))
	fn, err := mapi.GetNextFunctionInfo(fd, 0)
	if err != nil || fn.FID != fid || fn.Name != "PKT_COUNTER" || fn.Library != "stdflib" || fn.DevType != "1" ||
		fn.Packets != 1 || fn.Passed != 1 || fn.ResultSize != 8 {
		t.Errorf("function is %+v, %v", fn, err)
	}
	dev, err := mapi.GetNextDeviceInfo(-1)
	if err != nil || dev.ID != 1 || dev.Device != "net0" || dev.Name != "mapinicdrv" || dev.Alias != "uplink" ||
		dev.Description != "to the world" || dev.LinkSpeed != 1000 {
		t.Errorf("device is %+v, %v", dev, err)
	}
	if dev, err = mapi.GetDeviceInfo(2); err != nil || dev.Alias != "No alias" || dev.Description != "No description" {
		t.Errorf("device without alias is %+v, %v", dev, err)
	}
	if lib, err := mapi.GetLibraryInfo(0); err != nil || lib.Functions != len(stdflib.Library().Functions) {
		t.Errorf("library is %+v, %v", lib, err)
	}
}

func TestScopesAndColons(t *testing.T) {
	_, err := mapi.CreateFlow("sensor.example:eth0")
	wantCode(t, "remote scope", err, mapi.ErrCommSocket)
	_, err = mapi.CreateFlow("a:eth0, b:eth0")
	wantCode(t, "remote scope", err, mapi.ErrCommSocket)
	fd, err := mapi.CreateFlow("eth:0")
	wantCode(t, "device with a colon in its name", err, 0)
	must(mapi.CloseFlow(fd))

	b, err := os.ReadFile("trace.pcap")
	must(err)
	must(os.WriteFile("12:30 trace.pcap", b, 0o600))
	name, err := mapi.CreateOfflineDevice("12:30 trace.pcap", mapi.FormatPCAP)
	must(err)
	fd, err = mapi.CreateFlow(name)
	wantCode(t, "file with a colon in its name", err, 0)
	must(mapi.CloseFlow(fd))
	must(mapi.DeleteOfflineDevice(name))
}

func TestReadErrorForgets(t *testing.T) {
	mapi.ReadError()
	_, err := mapi.CreateFlow("HOW CARES")
	code, text := mapi.ReadError()
	if code != 3200 || text != err.Error() {
		t.Errorf("ReadError gives %d %q", code, text)
	}
	if code, text = mapi.ReadError(); code != 0 || text != "" {
		t.Errorf("second ReadError gives %d %q", code, text)
	}
}

func TestOfflineDeviceCalls(t *testing.T) {
	_, err := mapi.CreateOfflineDevice("no/such/file", mapi.FormatPCAP)
	wantCode(t, "missing file", err, mapi.ErrFile)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v does not say that the file is missing", err)
	}
	_, err = mapi.CreateOfflineDevice(".", mapi.FormatPCAP)
	wantCode(t, "directory", err, mapi.ErrFile)
	for _, format := range []mapi.Format{mapi.FormatRaw, mapi.FormatDAGERF, mapi.FormatCombo6, mapi.FormatNapatech, 77, -1} {
		_, err = mapi.CreateOfflineDevice("trace.pcap", format)
		wantCode(t, "format without driver", err, mapi.ErrNoDriver)
	}
	name, err := mapi.CreateOfflineDevice("trace.pcap", mapi.FormatPCAP)
	must(err)
	wantCode(t, "start of an unknown device", mapi.StartOfflineDevice("trace.pcap@99999"), mapi.ErrNoDevice)
	wantCode(t, "start of no device", mapi.StartOfflineDevice(""), mapi.ErrInvalidArgument1)
	wantCode(t, "start", mapi.StartOfflineDevice(name), 0)
	wantCode(t, "second start", mapi.StartOfflineDevice(name), 0)
	wantCode(t, "wait", mapi.WaitOfflineDevice(name), 0)
	wantCode(t, "delete", mapi.DeleteOfflineDevice(name), 0)
	wantCode(t, "second delete", mapi.DeleteOfflineDevice(name), mapi.ErrNoDevice)
	wantCode(t, "start after delete", mapi.StartOfflineDevice(name), mapi.ErrNoDevice)
}

func TestStats(t *testing.T) {
	fd, err := mapi.CreateFlow("uplink")
	must(err)
	defer mapi.CloseFlow(fd)
	must(mapi.Connect(fd))
	before, err := mapi.Stats("net0")
	must(err)
	send(packet(0), packet(1))
	after, err := mapi.Stats("uplink")
	if err != nil || len(after) != 1 || after[0].Recv != before[0].Recv+2 || after[0].Delivered != before[0].Delivered+2 ||
		after[0].Hostname != "localhost" || after[0].Device != "uplink" {
		t.Errorf("counters went from %+v to %+v, %v", before, after, err)
	}
	_, err = mapi.Stats("")
	wantCode(t, "no device", err, mapi.ErrDeviceInfo)
	_, err = mapi.Stats("HOW CARES")
	wantCode(t, "unknown device", err, mapi.ErrNoDriver)
	_, err = mapi.Stats("spare")
	wantCode(t, "device that no flow uses", err, mapi.ErrStats)
	_, err = mapi.Stats("sensor.example:eth0")
	wantCode(t, "remote device", err, mapi.ErrCommSocket)
	name, err := mapi.CreateOfflineDevice("trace.pcap", mapi.FormatPCAP)
	must(err)
	_, err = mapi.Stats(name)
	wantCode(t, "capture file", err, mapi.ErrStats)
	must(mapi.DeleteOfflineDevice(name))
}
