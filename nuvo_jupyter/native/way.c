/* Opening folders component by component, never through a link; those on the way to the last one stay open. */

#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NAME 255

static int open_folder(int below, const char *name)
{
    int fd;
    do
        fd = openat(below, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd;
}

void way_end(Way *way)
{
    while (way->depth)
        close(way->levels[--way->depth].fd);
    way->path = "";
}

int way_to(Way *way, const char *path)
{
    size_t at = 0;
    int common = 0;
    if (path == way->path && way->depth)
        return way->levels[way->depth - 1].fd;
    for (; common < way->depth; common++) {
        size_t end = way->levels[common].end;
        if (strncmp(path, way->path, end) != 0 || (path[end] != '/' && path[end] != 0))
            break;
        at = path[end] == 0 ? end : end + 1;
    }
    while (way->depth > common)
        close(way->levels[--way->depth].fd);
    way->path = path;
    int fd = common ? way->levels[common - 1].fd : way->root;
    if (common && path[at] == 0)
        return fd;
    for (;;) {
        char name[NAME + 1];
        size_t length = strcspn(path + at, "/");
        if (way->depth == DEPTH) {
            errno = ELOOP;
            return -1;
        }
        if (length > NAME) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, path + at, length);
        name[length] = 0;
        if (length == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            errno = EINVAL;
            return -1;
        }
        fd = open_folder(fd, name);
        if (fd < 0)
            return -1;
        at += length;
        way->levels[way->depth].fd = fd;
        way->levels[way->depth++].end = at;
        if (path[at] == 0)
            return fd;
        at++;
    }
}
