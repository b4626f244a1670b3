/*
 * layout.h - layout of the memory that the daemon shares with a program. Offsets are in
 * bytes. docs/shm.md describes it; a test compares this file with internal/shm/layout.go
 * and internal/ring/layout.go.
 */
#ifndef LIBMAPI_LAYOUT_H
#define LIBMAPI_LAYOUT_H

enum shm_layout {
	MEMORY_MAGIC = 0, /* 0: the daemon has taken the memory back */
	FLOW_STATUS = 0, /* in the memory of a flow */
	SLOT_SEQ = 0,    /* in the slot of a result; even: stable, odd: being written */
	SLOT_RESULT = 8,
};

enum ring_head {
	HEAD_MAGIC = 0,     /* 0: the daemon has taken the memory back */
	HEAD_ENTRY = 16,    /* bytes of an entry of a series; 0: packets; 1: records */
	HEAD_POSITION = 64, /* end of the last record */
	HEAD_FULL = 80,     /* records lost because the ring was full */
	HEAD_TOO_LARGE = 88, /* records lost because they were too large */
	HEAD_STATE = 128,
	HEAD_WANT = 136, /* read position for which the writer waits; 0: it does not wait */
	HEAD_SIZE = 4096,
};

enum ring_open_state { STATE_OPEN = 0, STATE_ENDED = 1, STATE_CLOSED = 2 };

enum ring_page {
	PAGE_READ = 0,   /* read position: the writer may overwrite everything before it */
	PAGE_SLEEP = 64, /* odd: the reader sleeps */
};

enum ring_record {
	RECORD_TS = 0,
	RECORD_KIND = 8,  /* 16 bits: kind of a record of a function */
	RECORD_CAP = 12,  /* captured bytes; a record has the layout of struct mapipkt */
	RECORD_DATA = 20, /* the packet */
	RECORD_ALIGN = 8,
};
enum ring_kind { OF_RECORDS = 1 }; /* in HEAD_ENTRY */

/* The table of records that mapi_read_results returns; see docs/shm.md. */
enum table {
	TABLE_COUNT = 0,
	TABLE_LOST = 8,
	TABLE_HEAD = 16, /* bytes before the first record */
	TABLE_TS = 0,    /* of each record */
	TABLE_KIND = 8,
	TABLE_LENGTH = 12,
	TABLE_DATA = 16, /* filled up to the next multiple of RECORD_ALIGN */
};
#define RECORD_SKIP 0xffffffffu /* in RECORD_CAP: the writer skipped the rest of the ring */

#endif
