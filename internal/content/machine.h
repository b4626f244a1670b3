// What the C side of this package is made of. The memory is C's and, but for a
// struct work, does not change while packets are searched.
#include <stdint.h>
#include <hs.h>

enum {
	BATCH = 256,    // packets of one call
	WORK = 1024,    // what may be done for one packet, see on_match
	CROWD = 32,     // entries of one needle that are compared here
	ROOM = 4 * WORK, // matches of one call
	REASON = 256,
	NO_NEEDLE = 0xffffffff
};

struct needle { uint32_t first, count; };     // count 0: too many entries
struct entry {
	uint32_t text, length;                // in texts
	uint32_t behind;                      // bytes of the string behind the needle
	uint32_t from, to;                    // bytes of the packet that it lies in
	uint32_t hits;                        // at most, when it is found
};
struct machine {
	hs_database_t *hs;                    // NULL: no needle is for libhs
	uint32_t nul;                         // needle that is a NUL, NO_NEEDLE: none
	struct needle *needles;
	struct entry *entries;
	uint8_t *texts;
	uint32_t from, to;                    // bytes of packets that any entry can lie in
};

struct view { uintptr_t data; uint32_t length; };
struct match { uint32_t packet, entry; };

// What one goroutine needs. Unlike a machine it changes during a search.
struct work {
	hs_scratch_t *hs;
	uint32_t *seen;                       // entry -> packet (stamp) that it was last found in
	uint32_t entries, stamp;
	const struct machine *m;
	uint32_t packet;                      // the one under way
	int32_t left;                         // what may still be done for it
	uint32_t matches;
	uint64_t hits;                        // that these may become
	uint32_t over;                        // the packet took too much work
	struct view views[BATCH];
	struct match found[ROOM];
};
