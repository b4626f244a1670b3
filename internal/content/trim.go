package content

/*
#include <malloc.h>

// trim returns free memory of malloc's heap to the system, if it is more than least bytes.
static void trim(size_t least)
{
#ifdef __GLIBC__
	if (mallinfo2().fordblks > least)
		malloc_trim(0);
#else
	(void)least;
#endif
}
*/
import "C"

// Trim returns the memory of databases that were closed to the system, if the C library
// keeps more than least bytes of it.
func Trim(least int) { C.trim(C.size_t(least)) }
