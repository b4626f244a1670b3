/*
 * layout.h - the memory that the daemon shares with a program, as docs/shm.md,
 * internal/shm/layout.go and internal/ring/layout.go have it. Offsets in bytes. A test
 * compares them.
 */
#ifndef LIBMAPI_LAYOUT_H
#define LIBMAPI_LAYOUT_H

enum shm_layout {
	FLOW_STATUS = 0, /* of the place of a flow */
	SLOT_SEQ = 0,    /* of the place of a result: even: stable, odd: being written */
	SLOT_RESULT = 8,
};

enum ring_head {
	HEAD_ENTRY = 16,    /* bytes of an entry of a series; 0: packets */
	HEAD_POSITION = 64, /* end of the last record */
	HEAD_STATE = 128,
	HEAD_WANT = 136, /* the writer waits for this read position; 0: it does not */
	HEAD_SIZE = 4096,
};

enum ring_open_state { STATE_OPEN = 0, STATE_ENDED = 1, STATE_CLOSED = 2 };

enum ring_page {
	PAGE_READ = 0,   /* everything before is the writer's again */
	PAGE_SLEEP = 64, /* odd: the reader sleeps */
};

enum ring_record {
	RECORD_CAP = 12,  /* captured bytes, of struct mapipkt, which the record is */
	RECORD_DATA = 20, /* the packet */
	RECORD_ALIGN = 8,
};
#define RECORD_SKIP 0xffffffffu /* captured bytes that mark a skipped rest of the ring */

#endif
