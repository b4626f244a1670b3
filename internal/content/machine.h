// Types of the C side of this package. Their memory belongs to C. Except for struct
// work, it does not change during a search.
#include <stdint.h>
#include <hs.h>

enum {
	BATCH = 256,    // packets of one call
	WORK = 1024,    // limit of work for one packet, see on_match
	CROWD = 32,     // maximum number of entries of one needle that C compares
	ROOM = 4 * WORK, // matches of one call
	REASON = 256,
	NO_NEEDLE = 0xffffffff
};

struct needle { uint32_t first, count; };     // count 0: too many entries
struct entry {
	uint32_t text, length;                // in texts
	uint32_t behind;                      // bytes of the string after the needle
	uint32_t from, to;                    // bytes of the packet that must contain it
	uint32_t hits;                        // maximum number of hits if it is found
};
struct machine {
	hs_database_t *hs;                    // NULL: no needle for libhs
	uint32_t nul;                         // needle that is a NUL, NO_NEEDLE: none
	struct needle *needles;
	struct entry *entries;
	uint8_t *texts;
	uint32_t from, to;                    // bytes of packets that contain all entries
};

struct view { uintptr_t data; uint32_t length; };
struct match { uint32_t packet, entry; };

// Working memory of one goroutine. Unlike a machine it changes during a search.
struct work {
	hs_scratch_t *hs;
	uint32_t *seen;                       // entry -> packet (stamp) that it was last found in
	uint32_t entries, stamp;
	const struct machine *m;
	uint32_t packet;                      // current packet
	int32_t left;                         // remaining work for it
	uint32_t matches;
	uint64_t hits;                        // maximum number of hits for the matches
	uint32_t over;                        // the packet took too much work
	struct view views[BATCH];
	struct match found[ROOM];
};
