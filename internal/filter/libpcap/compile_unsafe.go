package libpcap

/*
#cgo LDFLAGS: -lpcap
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <pcap/pcap.h>

enum { SNAP = 262144, NETMASK = 0, REASON = PCAP_ERRBUF_SIZE };

// empty_file writes the header of a capture file without packets.
static int empty_file(int dlt, char **file, size_t *size, char *reason)
{
	FILE *f = open_memstream(file, size);
	pcap_t *p = pcap_open_dead(dlt, SNAP);
	pcap_dumper_t *d = NULL;
	if (f == NULL || p == NULL) {
		snprintf(reason, REASON, "no memory");
	} else if ((d = pcap_dump_fopen(p, f)) == NULL) {
		snprintf(reason, REASON, "%s", pcap_geterr(p));
	}
	if (d != NULL)
		pcap_dump_close(d);
	else if (f != NULL)
		fclose(f);
	if (p != NULL)
		pcap_close(p);
	return d != NULL ? 0 : -1;
}

// open_empty opens a file without packets. With a handle of pcap_open_dead, libpcap would
// allow tests of something outside the packet's bytes, such as "inbound", and would not
// know all address families of DLT_NULL.
static pcap_t *open_empty(int dlt, char *reason)
{
	char *file = NULL;
	size_t size = 0;
	pcap_t *p = NULL;
	if (empty_file(dlt, &file, &size, reason) == 0) {
		FILE *f = fmemopen(file, size, "r");
		if (f == NULL)
			snprintf(reason, REASON, "no memory");
		else if ((p = pcap_fopen_offline(f, reason)) == NULL)
			fclose(f);
	}
	free(file);
	return p;
}

// compile fills prog, which the caller must free with pcap_freecode, or returns -1 and
// the reason.
static int compile(const char *expr, int dlt, int optimize, struct bpf_program *prog, char *reason)
{
	pcap_t *p = open_empty(dlt, reason);
	if (p == NULL)
		return -1;
	int rc = pcap_compile(p, prog, expr, optimize, NETMASK);
	if (rc != 0)
		snprintf(reason, REASON, "%s", pcap_geterr(p));
	pcap_close(p);
	return rc;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"gomapi/internal/bpf"
)

// compile runs pcap_compile(3) once. Its error is only libpcap's reason.
func compile(expr string, linkType uint16, optimize bool) ([]bpf.RawInstruction, error) {
	text := C.CString(expr)
	defer C.free(unsafe.Pointer(text))
	opt := C.int(0)
	if optimize {
		opt = 1
	}
	var prog C.struct_bpf_program
	var reason [C.REASON]C.char
	if C.compile(text, C.int(linkType), opt, &prog, &reason[0]) != 0 {
		return nil, errors.New(strings.ToValidUTF8(C.GoString(&reason[0]), "?"))
	}
	defer C.pcap_freecode(&prog)
	if prog.bf_len > bpf.MaxInstructions {
		return nil, fmt.Errorf("it compiles to %d instructions, at most %d are possible: use a shorter one, or several",
			uint(prog.bf_len), bpf.MaxInstructions)
	}
	raw := make([]bpf.RawInstruction, prog.bf_len)
	for i, ins := range unsafe.Slice(prog.bf_insns, prog.bf_len) {
		raw[i] = bpf.RawInstruction{Op: uint16(ins.code), Jt: uint8(ins.jt), Jf: uint8(ins.jf), K: uint32(ins.k)}
	}
	return raw, nil
}
