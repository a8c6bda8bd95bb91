/* list_folder(fd): what lies in an opened folder and how it looks, without holding Python's lock meanwhile.

   The rows come out as nuvo_jupyter/workspace/record.py writes them: one MessagePack array (https://github.com/msgpack/msgpack/blob/master/spec.md)
   of name, size, modification time, change time, inode and mode of one entry after the other, each number as short as it can be. */

#include "native.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDTH 6
/* A number takes 9 bytes at most, a name of 255 bytes 257. */
#define ROW_MAX (2 + 255 + 5 * 9)
#define ARRAY_HEAD 5

typedef struct {
    uint8_t *data;
    size_t used, size;
} Bytes;

/* Makes room for `more` bytes; returns where they go, or NULL. */
static uint8_t *room(Bytes *bytes, size_t more)
{
    if (bytes->size - bytes->used < more) {
        size_t size = 2 * bytes->size + more;
        uint8_t *data = realloc(bytes->data, size);
        if (data == NULL)
            return NULL;
        bytes->data = data;
        bytes->size = size;
    }
    return bytes->data + bytes->used;
}

static uint8_t *put_big_endian(uint8_t *at, uint64_t value, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        *at++ = (uint8_t)(value >> shift);
    return at;
}

static uint8_t *put_unsigned(uint8_t *at, uint64_t value)
{
    if (value < 0x80)
        return put_big_endian(at, value, 1);
    int bytes = value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xffffffff ? 4 : 8;
    *at++ = bytes == 1 ? 0xcc : bytes == 2 ? 0xcd : bytes == 4 ? 0xce : 0xcf;
    return put_big_endian(at, value, bytes);
}

static uint8_t *put_signed(uint8_t *at, int64_t value)
{
    if (value >= 0)
        return put_unsigned(at, (uint64_t)value);
    if (value >= -32)
        return put_big_endian(at, (uint64_t)value, 1);
    int bytes = value >= INT8_MIN ? 1 : value >= INT16_MIN ? 2 : value >= INT32_MIN ? 4 : 8;
    *at++ = bytes == 1 ? 0xd0 : bytes == 2 ? 0xd1 : bytes == 4 ? 0xd2 : 0xd3;
    return put_big_endian(at, (uint64_t)value, bytes);
}

/* Up to 255 bytes, as names have. */
static uint8_t *put_text(uint8_t *at, const char *text, size_t length)
{
    if (length < 32) {
        *at++ = (uint8_t)(0xa0 | length);
    } else {
        *at++ = 0xd9;
        *at++ = (uint8_t)length;
    }
    memcpy(at, text, length);
    return at + length;
}

/* Whether a name is UTF-8 as Python decodes it: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629, section 4). */
static int is_text(const uint8_t *at, size_t length)
{
    const uint8_t *end = at + length;
    while (at < end) {
        uint8_t first = *at++;
        int more;
        uint8_t from = 0x80, to = 0xbf;
        if (first < 0x80)
            continue;
        if (first >= 0xc2 && first <= 0xdf) {
            more = 1;
        } else if (first >= 0xe0 && first <= 0xef) {
            more = 2;
            if (first == 0xe0)
                from = 0xa0;
            if (first == 0xed)
                to = 0x9f;
        } else if (first >= 0xf0 && first <= 0xf4) {
            more = 3;
            if (first == 0xf0)
                from = 0x90;
            if (first == 0xf4)
                to = 0x8f;
        } else {
            return 0;
        }
        for (; more; more--, at++) {
            if (at == end || *at < from || *at > to)
                return 0;
            from = 0x80;
            to = 0xbf;
        }
    }
    return 1;
}

/* A folder, or what could not be looked at: a number (mode, error) and a name that ends in 0. */
static int note(Bytes *bytes, uint32_t number, const char *name, size_t length)
{
    uint8_t *at = room(bytes, 4 + length + 1);
    if (at == NULL)
        return -1;
    memcpy(at, &number, 4);
    memcpy(at + 4, name, length + 1);
    bytes->used += 4 + length + 1;
    return 0;
}

static PyObject *noted(const Bytes *bytes)
{
    PyObject *list = PyList_New(0);
    for (size_t at = 0; list != NULL && at < bytes->used;) {
        uint32_t number;
        memcpy(&number, bytes->data + at, 4);
        const char *name = (const char *)bytes->data + at + 4;
        PyObject *item = Py_BuildValue("(sI)", name, number);
        if (item == NULL || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
        at += 4 + strlen(name) + 1;
    }
    return list;
}

typedef struct {
    Bytes rows, folders, failed;
    uint32_t count;
} Found;

/* Returns 0, an error number, or -1 for what is left to Python. */
static int list_all(int fd, Found *found)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return errno;
    DIR *folder = fdopendir(own);
    if (folder == NULL) {
        int why = errno;
        close(own);
        return why;
    }
    int why = 0;
    if (room(&found->rows, ARRAY_HEAD) == NULL)
        why = ENOMEM;
    found->rows.used = ARRAY_HEAD;
    while (!why) {
        errno = 0;
        struct dirent *entry = readdir(folder);
        if (entry == NULL) {
            why = errno;
            break;
        }
        const char *name = entry->d_name;
        if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0)))
            continue;
        size_t length = strlen(name);
        if (length > 255 || !is_text((const uint8_t *)name, length)) {
            why = -1;
            break;
        }
        struct stat status;
        if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
            if (note(&found->failed, (uint32_t)errno, name, length) < 0)
                why = ENOMEM;
            continue;
        }
        if (S_ISDIR(status.st_mode)) {
            if (note(&found->folders, status.st_mode, name, length) < 0)
                why = ENOMEM;
            continue;
        }
        int64_t modified, changed;
        if (!nanoseconds(MTIME(&status), &modified) || !nanoseconds(CTIME(&status), &changed)) {
            why = -1;
            break;
        }
        uint8_t *at = room(&found->rows, ROW_MAX);
        if (at == NULL) {
            why = ENOMEM;
            break;
        }
        at = put_text(at, name, length);
        at = put_signed(at, status.st_size);
        at = put_signed(at, modified);
        at = put_signed(at, changed);
        at = put_unsigned(at, status.st_ino);
        at = put_unsigned(at, status.st_mode);
        found->rows.used = (size_t)(at - found->rows.data);
        found->count += WIDTH;
    }
    /* Both descriptors share one position, from which whoever lists it next begins. */
    rewinddir(folder);
    closedir(folder);
    return why;
}

/* The rows with the head of their array, which is as long as their number asks for. */
static PyObject *rows_of(Found *found)
{
    uint8_t head[ARRAY_HEAD], *end;
    if (found->count < 16) {
        head[0] = (uint8_t)(0x90 | found->count);
        end = head + 1;
    } else if (found->count <= 0xffff) {
        head[0] = 0xdc;
        end = put_big_endian(head + 1, found->count, 2);
    } else {
        head[0] = 0xdd;
        end = put_big_endian(head + 1, found->count, 4);
    }
    size_t length = (size_t)(end - head);
    uint8_t *begins = found->rows.data + ARRAY_HEAD - length;
    memcpy(begins, head, length);
    return PyBytes_FromStringAndSize((const char *)begins, (Py_ssize_t)(found->rows.used - ARRAY_HEAD + length));
}

PyObject *list_folder(PyObject *module, PyObject *args)
{
    (void)module;
    int fd, why;
    if (!PyArg_ParseTuple(args, "i", &fd))
        return NULL;
    Found found = {0};
    Py_BEGIN_ALLOW_THREADS
    why = list_all(fd, &found);
    Py_END_ALLOW_THREADS
    PyObject *result = NULL;
    if (why == -1) {
        result = Py_NewRef(Py_None);
    } else if (why) {
        errno = why;
        PyErr_SetFromErrno(PyExc_OSError);
    } else {
        PyObject *rows = rows_of(&found), *folders = noted(&found.folders), *failed = noted(&found.failed);
        if (rows != NULL && folders != NULL && failed != NULL)
            result = PyTuple_Pack(3, rows, folders, failed);
        Py_XDECREF(rows);
        Py_XDECREF(folders);
        Py_XDECREF(failed);
    }
    free(found.rows.data);
    free(found.folders.data);
    free(found.failed.data);
    return result;
}
