/* read_files(…): small files of one folder, one behind the other into one buffer, without holding Python's lock meanwhile. */

#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define WIDTH 6
/* As many at a time: what is asked to stop stops soon. */
#define AT_ONCE 250
#define MARKS 4

typedef struct {
    const char *name;
    uint8_t *to;
    long long size, mtime, ctime;
    unsigned long long inode, mode;
    int read;
} File;

typedef struct {
    Py_ssize_t at, length;
    const char *text;
} Mark;

/* Reads a file that is as it was seen, and nothing that bears a mark; 1 if it did. */
static int read_file(int folder, File *file, int flags, const Mark *marks, int count)
{
    int fd;
    do
        fd = openat(folder, file->name, flags);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return 0;
    long long got = 0;
    while (got <= file->size) {
        /* One byte more than there is said to be: some file systems hold more than their stat tells. */
        char more;
        struct iovec to[] = {{file->to + got, (size_t)(file->size - got)}, {&more, 1}};
        ssize_t piece = readv(fd, to, 2);
        if (piece < 0 && errno == EINTR)
            continue;
        if (piece < 0)
            got = -1;
        if (piece <= 0)
            break;
        got += piece;
        /* Regular files give all they have. */
        if (got == file->size)
            break;
    }
    struct stat status;
    int64_t modified, changed;
    int same = got == file->size && fstat(fd, &status) == 0 && status.st_size == file->size &&
               nanoseconds(MTIME(&status), &modified) && modified == file->mtime &&
               nanoseconds(CTIME(&status), &changed) && changed == file->ctime && status.st_ino == file->inode &&
               status.st_mode == file->mode;
    close(fd);
    for (int at = 0; same && at < count; at++) {
        const Mark *mark = &marks[at];
        if (got >= mark->at + mark->length && memcmp(file->to + mark->at, mark->text, (size_t)mark->length) == 0)
            same = 0;
    }
    return same;
}

/* Reads what is wanted of one row; a name of 0 bytes if it is not for us. -1 with an exception set. */
static int take_row(PyObject *rows, Py_ssize_t row, File *file, PyObject **name)
{
    long long numbers[5] = {0};
    if (row < 0 || row > PyList_Size(rows) / WIDTH - 1) {
        PyErr_SetString(PyExc_IndexError, "no such row");
        return -1;
    }
    *name = PyList_GetItem(rows, row * WIDTH);
    if (*name == NULL || (file->name = PyUnicode_AsUTF8AndSize(*name, NULL)) == NULL)
        return -1;
    for (int at = 0; at < 5; at++) {
        PyObject *item = PyList_GetItem(rows, row * WIDTH + 1 + at);
        if (item == NULL)
            return -1;
        /* Inodes use all 64 bits on some file systems. */
        numbers[at] = at == 3 ? (long long)PyLong_AsUnsignedLongLong(item) : PyLong_AsLongLong(item);
        if (numbers[at] == -1 && PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_OverflowError))
                return -1;
            PyErr_Clear();
            file->name = "";
            numbers[0] = 0;
            break;
        }
    }
    file->size = numbers[0];
    file->mtime = numbers[1];
    file->ctime = numbers[2];
    file->inode = (unsigned long long)numbers[3];
    file->mode = (unsigned long long)numbers[4];
    return 0;
}

static int take_marks(PyObject *given, Mark *marks)
{
    Py_ssize_t count = PyTuple_Size(given);
    if (count < 0 || count > MARKS) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "too many marks");
        return -1;
    }
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *mark = PyTuple_GetItem(given, at);
        if (!PyTuple_Check(mark)) {
            PyErr_SetString(PyExc_TypeError, "a mark is a tuple");
            return -1;
        }
        if (!PyArg_ParseTuple(mark, "ny#", &marks[at].at, &marks[at].text, &marks[at].length))
            return -1;
        if (marks[at].at < 0) {
            PyErr_SetString(PyExc_ValueError, "no such place");
            return -1;
        }
    }
    return (int)count;
}

PyObject *read_files(PyObject *module, PyObject *args)
{
    (void)module;
    int folder, flags, wanted = 0, held = 0;
    Py_ssize_t first, used;
    PyObject *rows, *positions, *given, *names[AT_ONCE], *result = NULL;
    File files[AT_ONCE];
    Mark marks[MARKS];
    Py_buffer to;
    if (!PyArg_ParseTuple(args, "iOOnw*niO", &folder, &rows, &positions, &first, &to, &used, &flags, &given))
        return NULL;
    int count = PyList_Check(rows) && PyList_Check(positions) && PyTuple_Check(given) ? take_marks(given, marks) : -1;
    if (count < 0) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "rows and positions are lists, marks a tuple");
        goto end;
    }
    if (used < 0 || used > to.len || first < 0) {
        PyErr_SetString(PyExc_ValueError, "no such place");
        goto end;
    }
    Py_ssize_t place = used;
    for (; wanted < AT_ONCE && first + wanted < PyList_Size(positions); wanted++) {
        File *file = &files[wanted];
        Py_ssize_t row = PyLong_AsSsize_t(PyList_GetItem(positions, first + wanted));
        if ((row == -1 && PyErr_Occurred()) || take_row(rows, row, file, &names[held]) < 0)
            goto end;
        if (file->size < 0 || file->size > to.len - place)
            break;
        /* Another thread may change the list meanwhile. */
        Py_INCREF(names[held++]);
        file->to = (uint8_t *)to.buf + place;
        place += file->size;
    }
    Py_BEGIN_ALLOW_THREADS
    uint8_t *end = (uint8_t *)to.buf + used;
    for (int at = 0; at < wanted; at++) {
        /* Those that could not be read leave no gap. */
        files[at].to = end;
        /* A name of 0 bytes stands for one that is no text. */
        files[at].read = files[at].name[0] && read_file(folder, &files[at], flags, marks, count);
        if (files[at].read)
            end += files[at].size;
    }
    place = end - (uint8_t *)to.buf;
    Py_END_ALLOW_THREADS
    PyObject *refused = PyList_New(0);
    for (int at = 0; refused != NULL && at < wanted; at++)
        if (!files[at].read && PyList_Append(refused, PyList_GetItem(positions, first + at)) < 0)
            Py_CLEAR(refused);
    if (refused != NULL)
        result = Py_BuildValue("(nnN)", first + wanted, place, refused);
end:
    while (held)
        Py_DECREF(names[--held]);
    PyBuffer_Release(&to);
    return result;
}
