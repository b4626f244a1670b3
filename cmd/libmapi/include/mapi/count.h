/*
 * mapi/count.h - tells the library how many arguments mapi_apply_function has, and
 * which of them are 64 bits wide. Included by mapi.h.
 */
#ifndef MAPI_COUNT_H
#define MAPI_COUNT_H

#ifdef __cplusplus
extern "C"
#endif
/* count: arguments from fd on. wide: bit i is set where argument i has 8 bytes. */
int mapi_apply_counted(int count, unsigned int wide, int fd, const char *funct, ...);

#if defined(__cplusplus) && __cplusplus >= 201103L

/* A template, so that others may hand their arguments on. */
extern "C++" {
template <typename... A> struct mapi_wide {
	static constexpr unsigned int bits = 0;
};
template <typename A, typename... More> struct mapi_wide<A, More...> {
	static constexpr unsigned int bits = (sizeof(A) > sizeof(int)) | mapi_wide<More...>::bits << 1;
};
template <typename... A> inline int mapi_apply_typed(int fd, const char *funct, A... args)
{
	return mapi_apply_counted(2 + static_cast<int>(sizeof...(A)), mapi_wide<int, const char *, A...>::bits, fd, funct, args...);
}
}
#define mapi_apply_function(...) mapi_apply_typed(__VA_ARGS__)

#else

#define MAPI_COUNT_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, n, ...) n
#define MAPI_COUNT(...) MAPI_COUNT_(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)

/* An argument as a call makes it: a pointer of an array, an int of a char. Nothing is
   evaluated. */
#ifdef __cplusplus
extern "C++" {
template <typename T> char (&mapi_width(T))[sizeof(T) > sizeof(int) ? 2 : 1];
}
#define MAPI_IS_WIDE(a) (sizeof(mapi_width(a)) > 1)
#else
#define MAPI_IS_WIDE(a) (sizeof(__extension__((a) + 0)) > sizeof(int))
#endif

#define MAPI_WIDE_1(a) MAPI_IS_WIDE(a)
#define MAPI_WIDE_2(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_1(__VA_ARGS__) << 1)
#define MAPI_WIDE_3(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_2(__VA_ARGS__) << 1)
#define MAPI_WIDE_4(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_3(__VA_ARGS__) << 1)
#define MAPI_WIDE_5(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_4(__VA_ARGS__) << 1)
#define MAPI_WIDE_6(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_5(__VA_ARGS__) << 1)
#define MAPI_WIDE_7(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_6(__VA_ARGS__) << 1)
#define MAPI_WIDE_8(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_7(__VA_ARGS__) << 1)
#define MAPI_WIDE_9(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_8(__VA_ARGS__) << 1)
#define MAPI_WIDE_10(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_9(__VA_ARGS__) << 1)
#define MAPI_WIDE_11(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_10(__VA_ARGS__) << 1)
#define MAPI_WIDE_12(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_11(__VA_ARGS__) << 1)
#define MAPI_WIDE_13(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_12(__VA_ARGS__) << 1)
#define MAPI_WIDE_14(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_13(__VA_ARGS__) << 1)
#define MAPI_WIDE_15(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_14(__VA_ARGS__) << 1)
#define MAPI_WIDE_16(a, ...) (MAPI_IS_WIDE(a) | MAPI_WIDE_15(__VA_ARGS__) << 1)
#define MAPI_JOIN_(a, b) a##b
#define MAPI_JOIN(a, b) MAPI_JOIN_(a, b)
#define MAPI_WIDE(...) MAPI_JOIN(MAPI_WIDE_, MAPI_COUNT(__VA_ARGS__))(__VA_ARGS__)

#define mapi_apply_function(...) mapi_apply_counted(MAPI_COUNT(__VA_ARGS__), MAPI_WIDE(__VA_ARGS__), __VA_ARGS__)

#endif /* C++ from 2011 on */

#endif
