/* make_files(…): new files and folders in folders that nobody looks into yet, without holding Python's lock meanwhile. */

#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDTH 6
#define RESULTS 4
/* Of a file's and a folder's mode what is kept: as FILE_MODE and FOLDER_MODE in workspace/scan.py. */
#define FILE_MODE 01777
#define FOLDER_MODE 07777

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

/* Returns how many bytes went past the page cache, or -1 with errno. */
static long long fill_file(Making *making, int fd, Work *work)
{
    long long gone_past = 0;
    struct stat status;
    int64_t modified, changed;
    if (making->pieces != NULL) {
        gone_past = copy_pieces(making, fd, work);
        if (gone_past < 0)
            return -1;
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
    return gone_past;
}

/* Makes a folder; where it fails, there is none. */
static int make_folder(int folder, const Making *making)
{
    struct stat status;
    if (mkdirat(folder, making->name, making->mode) < 0)
        return -1;
    int made = openat(folder, making->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int failed = made < 0 || set_mode(made, making->mode, FOLDER_MODE, &status) < 0;
    int error = errno;
    if (made >= 0)
        close(made);
    if (failed)
        unlinkat(folder, making->name, AT_REMOVEDIR);
    errno = error;
    return failed ? -1 : 0;
}

/* Makes a file and returns how many bytes went past the page cache; where it fails, -1 with errno, and there is none. */
static long long make_file(int folder, Making *making, Work *work)
{
    int fd, error = 0;
    do
        fd = openat(folder, making->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, making->mode);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return -1;
    long long gone_past = fill_file(making, fd, work);
    if (gone_past < 0)
        error = errno;
    /* File servers say only now that there was no room. */
    if (close(fd) < 0 && errno != EINTR && !error)
        error = errno;
    if (!error)
        return gone_past;
    /* A disk that is full needs the space back for the next, smaller file. */
    unlinkat(folder, making->name, 0);
    making->ctime = 0;
    making->inode = making->found = 0;
    errno = error;
    return -1;
}

static long long make_one(Making *making, Work *work)
{
    if (*work->stop) {
        errno = ECANCELED;
        return -1;
    }
    int folder = way_to(&work->way, making->folder);
    if (folder < 0) {
        int error = errno;
        way_end(&work->way);
        errno = error;
        return -1;
    }
    if (strchr(making->name, '/') != NULL) {
        errno = EINVAL;
        return -1;
    }
    return making->is_folder ? make_folder(folder, making) : make_file(folder, making, work);
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
    if (content == Py_None) {
        making->is_folder = 1;
        return 0;
    }
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
        for (int at = 0; at < RESULTS; at++) {
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
    long long gone_past = 0;
    Py_buffer stop;
    PyObject *given, *rows, *result = NULL;
    if (!PyArg_ParseTuple(args, "iOiLy*", &work.way.root, &given, &work.spool, &work.past, &stop))
        return NULL;
    /* A copy, as another thread may change what was given. */
    rows = PySequence_Tuple(given);
    if (rows == NULL || stop.len < 1) {
        if (rows != NULL)
            PyErr_SetString(PyExc_ValueError, "nothing to stop by");
        Py_XDECREF(rows);
        PyBuffer_Release(&stop);
        return NULL;
    }
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
    work.stop = stop.buf;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t row = 0; row < order.count; row++) {
        long long went = make_one(&order.rows[row], &work);
        if (went < 0)
            order.rows[row].error = errno;
        else
            gone_past += went;
    }
    way_end(&work.way);
    pipe_end(&work.pipe);
    Py_END_ALLOW_THREADS
    result = results(&order, gone_past);
end:
    for (Py_ssize_t view = 0; view < order.viewed; view++)
        PyBuffer_Release(&order.views[view]);
    for (Py_ssize_t row = 0; order.pieces != NULL && row < order.count; row++)
        free(order.pieces[row]);
    free(order.rows);
    free(order.views);
    free(order.pieces);
    free(buffer);
    PyBuffer_Release(&stop);
    Py_DECREF(rows);
    return result;
}
