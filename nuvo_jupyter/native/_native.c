/* The module nuvo_jupyter.native._native; nuvo_jupyter/native/__init__.py says what its functions do. */

#include "native.h"

static PyMethodDef functions[] = {
    {"list_folder", list_folder, METH_VARARGS, NULL},
    {"read_files", read_files, METH_VARARGS, NULL},
    {"hash_many", hash_many, METH_O, NULL},
    {"make_files", make_files, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int fill(PyObject *module)
{
    return PyModule_AddIntConstant(module, "INTERFACE", INTERFACE);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, fill}, {0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_native", NULL, 0, functions, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&module);
}
