/* make_files(…): new files in folders that nobody looks into yet, without holding Python's lock meanwhile. */

#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDTH 6
/* Of a file's and a folder's mode what is kept: as FILE_MODE and FOLDER_MODE in workspace/scan.py. */
#define FILE_MODE 01777
#define FOLDER_MODE 07777

/* What goes on from file to file. */
typedef struct {
    Way way;
    Pipe pipe;
    int spool;
    long long past, gone_past;
    uint8_t *buffer;
} Work;

typedef struct {
    Making *rows;
    Py_buffer *views;
    long long **pieces;
    Py_ssize_t count, viewed;
} Order;

static int set_mode(int fd, mode_t mode, mode_t mask, struct stat *status)
{
    if (fstat(fd, status) < 0)
        return -1;
    if ((status->st_mode & mask) == mode)
        return 0;
    /* The user's mask, or the folder's own rules. */
    return fchmod(fd, mode) < 0 ? -1 : fstat(fd, status);
}

static int write_all(int fd, const uint8_t *data, long long size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, (size_t)size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        data += written;
        size -= written;
    }
    return 0;
}

static int fill_file(Making *making, int fd, Work *work)
{
    struct stat status;
    int64_t modified, changed;
    if (making->pieces != NULL) {
        long long went = copy_pieces(making, fd, work->spool, work->past, work->buffer, &work->pipe);
        if (went < 0)
            return -1;
        work->gone_past += went;
    } else if (write_all(fd, making->data, making->size) < 0)
        return -1;
    if (making->mtime) {
        struct timespec times[2];
        times[0].tv_sec = (time_t)(making->mtime / 1000000000);
        times[0].tv_nsec = (long)(making->mtime % 1000000000);
        if (times[0].tv_nsec < 0) {
            times[0].tv_nsec += 1000000000;
            times[0].tv_sec--;
        }
        times[1] = times[0];
        if (futimens(fd, times) < 0)
            return -1;
    }
    if (set_mode(fd, making->mode, FILE_MODE, &status) < 0)
        return -1;
    if (S_ISREG(status.st_mode) && status.st_size == making->size && nanoseconds(MTIME(&status), &modified) &&
        modified == making->mtime && nanoseconds(CTIME(&status), &changed))
        making->ctime = changed;
    making->inode = status.st_ino;
    making->found = status.st_mode;
    return 0;
}

/* Makes one file, or sees to a folder's mode; where it fails, no file is left. */
static void make_one(Making *making, Work *work)
{
    int fd, folder = way_to(&work->way, making->folder);
    if (folder < 0) {
        making->error = errno;
        way_end(&work->way);
        return;
    }
    if (making->name[0] == 0) {
        struct stat status;
        if (set_mode(folder, making->mode, FOLDER_MODE, &status) < 0)
            making->error = errno;
        return;
    }
    if (strchr(making->name, '/') != NULL) {
        making->error = EINVAL;
        return;
    }
    do
        fd = openat(folder, making->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, making->mode);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        making->error = errno;
        return;
    }
    if (fill_file(making, fd, work) < 0)
        making->error = errno;
    /* File servers say only now that there was no room. */
    if (close(fd) < 0 && errno != EINTR && !making->error)
        making->error = errno;
    if (making->error) {
        making->ctime = 0;
        /* A disk that is full needs the space back for the next, smaller file. */
        unlinkat(folder, making->name, 0);
    }
}

static int take_pieces(PyObject *given, Making *making, long long **kept)
{
    Py_ssize_t count = PyTuple_Size(given);
    long long size = 0, *pieces = malloc(sizeof *pieces * (size_t)(count + 2));
    if (pieces == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *kept = pieces;
    for (Py_ssize_t at = 0; at < count; at++) {
        pieces[at] = PyLong_AsLongLong(PyTuple_GetItem(given, at));
        if (pieces[at] == -1 && PyErr_Occurred())
            return -1;
        if (pieces[at] < 0 || (at % 2 && __builtin_add_overflow(size, pieces[at], &size))) {
            PyErr_SetString(PyExc_ValueError, "no such piece");
            return -1;
        }
    }
    pieces[count] = pieces[count + 1] = -1;
    if (count % 2 || size != making->size) {
        PyErr_SetString(PyExc_ValueError, "pieces are not as long as their file");
        return -1;
    }
    making->pieces = pieces;
    return 0;
}

static int take_text(PyObject *text, const char **result)
{
    Py_ssize_t length;
    *result = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &length);
    if (*result != NULL && strlen(*result) == (size_t)length)
        return 0;
    if (*result != NULL)
        PyErr_SetString(PyExc_ValueError, "embedded null character");
    return -1;
}

/* -1 with an exception set. The texts stay as long as the tuple they are in. */
static int take_row(PyObject *given, Py_ssize_t row, Order *order)
{
    Making *making = &order->rows[row];
    PyObject *content = PyTuple_GetItem(given, row * WIDTH + 5);
    if (take_text(PyTuple_GetItem(given, row * WIDTH), &making->folder) < 0 ||
        take_text(PyTuple_GetItem(given, row * WIDTH + 1), &making->name) < 0)
        return -1;
    making->mode = (mode_t)PyLong_AsLong(PyTuple_GetItem(given, row * WIDTH + 2));
    making->mtime = PyLong_AsLongLong(PyTuple_GetItem(given, row * WIDTH + 3));
    making->size = PyLong_AsLongLong(PyTuple_GetItem(given, row * WIDTH + 4));
    if (PyErr_Occurred())
        return -1;
    if (PyTuple_Check(content))
        return take_pieces(content, making, &order->pieces[row]);
    Py_buffer *view = &order->views[order->viewed];
    if (PyObject_GetBuffer(content, view, PyBUF_SIMPLE) < 0)
        return -1;
    order->viewed++;
    making->data = view->buf;
    if (view->len != making->size) {
        PyErr_SetString(PyExc_ValueError, "a content is not as long as its file");
        return -1;
    }
    return 0;
}

static PyObject *results(const Order *order, long long gone_past)
{
    PyObject *list = PyList_New(0);
    for (Py_ssize_t row = 0; list != NULL && row < order->count; row++) {
        const Making *making = &order->rows[row];
        PyObject *numbers[] = {PyLong_FromLong(making->error), PyLong_FromLongLong(making->ctime),
                               PyLong_FromUnsignedLongLong(making->inode), PyLong_FromUnsignedLongLong(making->found)};
        for (int at = 0; at < 4; at++) {
            if (list != NULL && (numbers[at] == NULL || PyList_Append(list, numbers[at]) < 0))
                Py_CLEAR(list);
            Py_XDECREF(numbers[at]);
        }
    }
    return list == NULL ? NULL : Py_BuildValue("(NL)", list, gone_past);
}

PyObject *make_files(PyObject *module, PyObject *args)
{
    (void)module;
    Work work = {.way = {.path = ""}, .pipe = {-1, -1, 0}};
    PyObject *given, *rows, *result = NULL;
    if (!PyArg_ParseTuple(args, "iOiL", &work.way.root, &given, &work.spool, &work.past))
        return NULL;
    /* A copy, as another thread may change what was given. */
    rows = PySequence_Tuple(given);
    if (rows == NULL)
        return NULL;
    Order order = {NULL, NULL, NULL, PyTuple_Size(rows) / WIDTH, 0};
    size_t room = (size_t)order.count + 1;
    void *buffer = NULL;
    order.rows = calloc(room, sizeof *order.rows);
    order.views = calloc(room, sizeof *order.views);
    order.pieces = calloc(room, sizeof *order.pieces);
    if (order.rows == NULL || order.views == NULL || order.pieces == NULL ||
        (work.spool >= 0 && posix_memalign(&buffer, 4096, PIECE) != 0)) {
        PyErr_NoMemory();
        goto end;
    }
    for (Py_ssize_t row = 0; row < order.count; row++)
        if (take_row(rows, row, &order) < 0)
            goto end;
        else if (order.rows[row].pieces != NULL && work.spool < 0) {
            PyErr_SetString(PyExc_ValueError, "pieces of what?");
            goto end;
        }
    work.buffer = buffer;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t row = 0; row < order.count; row++)
        make_one(&order.rows[row], &work);
    way_end(&work.way);
    pipe_end(&work.pipe);
    Py_END_ALLOW_THREADS
    result = results(&order, work.gone_past);
end:
    for (Py_ssize_t view = 0; view < order.viewed; view++)
        PyBuffer_Release(&order.views[view]);
    for (Py_ssize_t row = 0; order.pieces != NULL && row < order.count; row++)
        free(order.pieces[row]);
    free(order.rows);
    free(order.views);
    free(order.pieces);
    free(buffer);
    Py_DECREF(rows);
    return result;
}
