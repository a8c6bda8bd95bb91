/* Contents that lie in a file already, written to another one: large ones past the page cache.

   A class gets the same contents many times over. Written as usual, each copy takes memory for the page cache, where it drives
   out what people work with, and is copied there, to be copied to the disk afterwards. Handed on through a pipe, the pages go from
   one file to the disk as they are. */

#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

#define BLOCK 4096
/* Where they go to the page cache they stay in the processor's cache between being read and being written. */
#define SMALL_PIECE (256 << 10)

#if defined(__linux__) && defined(O_DIRECT)
/* Of ext2 to ext4, and of XFS: there it is known to be sound and fast. Others copy into the page cache all the same, or have each
   piece confirmed by a server. */
static int is_suitable(int fd)
{
    struct statfs found;
    return fstatfs(fd, &found) == 0 && (found.f_type == 0xEF53 || found.f_type == 0x58465342);
}

static int go_past(int fd, int past)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, past ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}
#else
static int is_suitable(int fd)
{
    (void)fd;
    return 0;
}

static int go_past(int fd, int past)
{
    (void)fd;
    return !past;
}
#endif

#ifdef F_SETPIPE_SZ
/* Hands whole pages of one piece, which begins with a page, on to a file; returns how many bytes got there. What is in the
   way is for whoever reads and writes to meet. Where pages stay in the pipe it is closed, and not opened again. */
static long long hand_on(const long long *piece, int fd, Work *work)
{
    Pipe *pipe = &work->pipe;
    long long done = 0, end = piece[1] / BLOCK * BLOCK;
    if (piece[0] % BLOCK || pipe->broken)
        return 0;
    if (pipe->taking < 0) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
            return 0;
        pipe->taking = ends[0];
        pipe->giving = ends[1];
        /* Smaller, it would be slower than a copy. */
        pipe->broken = fcntl(pipe->giving, F_SETPIPE_SZ, PIECE) < PIECE;
    }
    while (done < end && !pipe->broken && !*work->stop) {
        off_t from = (off_t)(piece[0] + done);
        size_t wanted = end - done < PIECE ? (size_t)(end - done) : PIECE;
        ssize_t left = splice(work->spool, &from, pipe->giving, NULL, wanted, 0);
        if (left < 0 && errno == EINTR)
            continue;
        if (left <= 0)
            break;
        while (left > 0) {
            ssize_t moved = splice(pipe->taking, NULL, fd, NULL, (size_t)left, 0);
            if (moved < 0 && errno == EINTR)
                continue;
            if (moved <= 0) {
                pipe->broken = 1;
                break;
            }
            left -= moved;
            done += moved;
        }
    }
    return done;
}
#else
static long long hand_on(const long long *piece, int fd, Work *work)
{
    (void)piece, (void)fd, (void)work;
    return 0;
}
#endif

void pipe_end(Pipe *pipe)
{
    if (pipe->taking >= 0) {
        close(pipe->taking);
        close(pipe->giving);
    }
}

/* Reads from the pieces as if they were one, until the buffer is full or they end; -1 with errno. */
static long long fill(const Making *making, int spool, long long at, uint8_t *buffer, size_t room)
{
    size_t filled = 0;
    for (const long long *piece = making->pieces; filled < room && piece[1] >= 0; piece += 2) {
        while (at < piece[1] && filled < room) {
            size_t wanted = room - filled < (size_t)(piece[1] - at) ? room - filled : (size_t)(piece[1] - at);
            ssize_t found = pread(spool, buffer + filled, wanted, (off_t)(piece[0] + at));
            if (found < 0 && errno == EINTR)
                continue;
            if (found == 0)
                errno = EIO;
            if (found <= 0)
                return -1;
            filled += (size_t)found;
            at += found;
        }
        at -= piece[1];
    }
    return (long long)filled;
}

long long copy_pieces(const Making *making, int fd, Work *work)
{
    long long done = 0, gone_past = 0;
    uint8_t *buffer = work->buffer;
    int going_past = work->past > 0 && making->size >= work->past && is_suitable(fd) && go_past(fd, 1);
    if (going_past && making->pieces[1] == making->size) {
        done = gone_past = hand_on(making->pieces, fd, work);
        if (done % BLOCK) {
            going_past = 0;
            if (!go_past(fd, 0))
                return -1;
        }
    }
    while (done < making->size) {
        if (*work->stop) {
            errno = ECANCELED;
            return -1;
        }
        long long found = fill(making, work->spool, done, buffer, going_past ? PIECE : SMALL_PIECE);
        if (found <= 0) {
            if (found == 0)
                errno = EIO;
            return -1;
        }
        for (long long written = 0; written < found;) {
            size_t wanted = (size_t)(found - written);
            if (going_past && (written % BLOCK || wanted < BLOCK)) {
                /* What is no whole block. */
                going_past = 0;
                if (!go_past(fd, 0))
                    return -1;
            }
            ssize_t now = write(fd, buffer + written, going_past ? wanted / BLOCK * BLOCK : wanted);
            if (now < 0 && errno == EINTR)
                continue;
            if (now < 0 && going_past && (errno == EINVAL || errno == EOPNOTSUPP)) {
                going_past = 0;
                if (!go_past(fd, 0))
                    return -1;
                continue;
            }
            if (now < 0)
                return -1;
            written += now;
            if (going_past)
                gone_past += now;
        }
        done += found;
    }
    return gone_past;
}
