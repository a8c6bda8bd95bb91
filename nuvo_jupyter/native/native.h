/* What the files of this module know of each other. */
#ifndef NUVO_NATIVE_H
#define NUVO_NATIVE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030b0000
#include <Python.h>

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Written for little-endian processors; elsewhere the parts in Python do the work."
#endif

#ifdef __APPLE__
#define MTIME(found) ((found)->st_mtimespec)
#define CTIME(found) ((found)->st_ctimespec)
#else
#define MTIME(found) ((found)->st_mtim)
#define CTIME(found) ((found)->st_ctim)
#endif

/* What nuvo_jupyter/native/__init__.py has to know of: a module that was built for other sources is not used. */
#define INTERFACE 1

/* Nanoseconds since 1970, as os.stat_result says them; false for years that 64 bits do not reach (after 2262), which Python does. */
static inline int nanoseconds(struct timespec time, int64_t *result)
{
    return !__builtin_mul_overflow((int64_t)time.tv_sec, (int64_t)1000000000, result) &&
           !__builtin_add_overflow(*result, (int64_t)time.tv_nsec, result);
}

PyObject *list_folder(PyObject *module, PyObject *args);
PyObject *read_files(PyObject *module, PyObject *args);
PyObject *hash_many(PyObject *module, PyObject *datas);

/* Hashes `count` inputs; `out` takes 32 bytes for each. Returns 0, or -1 where memory was lacking. No Python in it. */
int blake3_many(const uint8_t *const *inputs, const size_t *lengths, size_t count, uint8_t *out);

#endif
