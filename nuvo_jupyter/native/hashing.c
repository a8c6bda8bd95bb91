/* hash_many(datas): BLAKE3 of each of some buffers, without holding Python's lock meanwhile. */

#include "native.h"

#include <stdlib.h>

PyObject *hash_many(PyObject *module, PyObject *datas)
{
    (void)module;
    PyObject *list = PySequence_List(datas);
    if (list == NULL)
        return NULL;
    size_t count = (size_t)PyList_Size(list), got = 0;
    Py_buffer *views = calloc(count + 1, sizeof *views);
    const uint8_t **inputs = calloc(count + 1, sizeof *inputs);
    size_t *lengths = calloc(count + 1, sizeof *lengths);
    uint8_t *out = malloc(32 * (count + 1));
    PyObject *result = NULL;
    if (views == NULL || inputs == NULL || lengths == NULL || out == NULL) {
        PyErr_NoMemory();
        goto end;
    }
    for (; got < count; got++) {
        if (PyObject_GetBuffer(PyList_GetItem(list, (Py_ssize_t)got), &views[got], PyBUF_SIMPLE) < 0)
            goto end;
        inputs[got] = views[got].buf;
        lengths[got] = (size_t)views[got].len;
    }
    int failed;
    Py_BEGIN_ALLOW_THREADS
    failed = blake3_many(inputs, lengths, count, out);
    Py_END_ALLOW_THREADS
    if (failed) {
        PyErr_NoMemory();
        goto end;
    }
    result = PyList_New((Py_ssize_t)count);
    for (size_t at = 0; result != NULL && at < count; at++) {
        PyObject *id = PyBytes_FromStringAndSize((const char *)out + 32 * at, 32);
        if (id == NULL || PyList_SetItem(result, (Py_ssize_t)at, id) < 0)
            Py_CLEAR(result);
    }
end:
    for (size_t at = 0; at < got; at++)
        PyBuffer_Release(&views[at]);
    free(views);
    free(inputs);
    free(lengths);
    free(out);
    Py_DECREF(list);
    return result;
}
