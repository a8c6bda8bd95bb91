/* What the files of this module know of each other. */
#ifndef NUVO_NATIVE_H
#define NUVO_NATIVE_H

/* O_DIRECT, and what else is Linux's own. */
#define _GNU_SOURCE
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
#define INTERFACE 3

/* Nanoseconds since 1970, as os.stat_result says them; false for years that 64 bits do not reach (after 2262), which Python does. */
static inline int nanoseconds(struct timespec time, int64_t *result)
{
    return !__builtin_mul_overflow((int64_t)time.tv_sec, (int64_t)1000000000, result) &&
           !__builtin_add_overflow(*result, (int64_t)time.tv_nsec, result);
}

/* Folders that are open on the way to one below `root`, by its path; begin with all else empty. */
#define DEPTH 256
typedef struct {
    int root, depth;
    const char *path;
    struct {
        int fd;
        size_t end;
    } levels[DEPTH];
} Way;

/* Opens the folder at a path, lent until the next call. -1, with errno, where it cannot; then way_end. The path must stay where it
   is in memory until then, too. */
int way_to(Way *way, const char *path);
void way_end(Way *way);

/* What a new file is to be, and what came of it. */
typedef struct {
    const char *folder, *name;
    mode_t mode;
    int64_t mtime;
    long long size;
    int is_folder;
    const uint8_t *data;
    const long long *pieces;
    int error;
    int64_t ctime;
    unsigned long long inode, found;
} Making;

/* What pages go through on their way from one file to another; -1 while there is none. */
typedef struct {
    int taking, giving, broken;
} Pipe;

/* What goes on from file to file: the way, the pipe, the spool contents come from, from how many bytes on they go past the page
   cache, a buffer that takes PIECE bytes and begins with a block, and what becomes something else when all is to end. */
typedef struct {
    Way way;
    Pipe pipe;
    int spool;
    long long past;
    uint8_t *buffer;
    const volatile char *stop;
} Work;

/* Writes the pieces (offset and length each, of the spool) to an open file; returns how many bytes went past the page cache, or -1
   with errno. */
#define PIECE (1 << 20)
long long copy_pieces(const Making *making, int fd, Work *work);
void pipe_end(Pipe *pipe);

PyObject *list_folder(PyObject *module, PyObject *args);
PyObject *read_files(PyObject *module, PyObject *args);
PyObject *hash_many(PyObject *module, PyObject *datas);
PyObject *make_files(PyObject *module, PyObject *args);

/* Hashes `count` inputs; `out` takes 32 bytes for each. Returns 0, or -1 where memory was lacking. No Python in it. */
int blake3_many(const uint8_t *const *inputs, const size_t *lengths, size_t count, uint8_t *out);

#endif
