/* BLAKE3 of many inputs at once.

   After the paper (https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf, section 2): an input is cut into chunks of
   1,024 bytes, each chunk is compressed in blocks of 64, and the chunks' results are joined pairwise in a tree. What differs from
   usual implementations is what runs side by side: chunks of whichever inputs, so that many small files fill a
   vector as well as one large file does. */

#include "native.h"

#include <stdlib.h>
#include <string.h>

#define LANES 8
#define CHUNK 1024
#define BLOCK 64
#define OUT 32

enum { CHUNK_START = 1, CHUNK_END = 2, PARENT = 4, ROOT = 8 };

/* One word of each lane. Compilers split it where the processor's registers are shorter. */
typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
/* The loader picks the fastest that the processor can do. */
#if __GNUC__ >= 12
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx2", "default")))
#endif
#else
#define FOR_EACH_PROCESSOR
#endif
#define INLINE static inline __attribute__((always_inline))

static const uint32_t IV[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* A chunk, or a parent, to be compressed: `left` bytes at `at`; its result goes to `out`. */
typedef struct {
    const uint8_t *at;
    size_t left;
    uint64_t counter;
    uint32_t flags;
    uint32_t last;
    uint8_t *out;
} Job;

INLINE uint32_t word(const uint8_t *at)
{
    uint32_t found;
    memcpy(&found, at, sizeof found);
    return found;
}

#define ROTATED(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
#define MIX(a, b, c, d, x, y)                                                                                                     \
    do {                                                                                                                          \
        v[a] += v[b] + m[x];                                                                                                      \
        v[d] ^= v[a];                                                                                                             \
        v[d] = ROTATED(v[d], 16);                                                                                                 \
        v[c] += v[d];                                                                                                             \
        v[b] ^= v[c];                                                                                                             \
        v[b] = ROTATED(v[b], 12);                                                                                                 \
        v[a] += v[b] + m[y];                                                                                                      \
        v[d] ^= v[a];                                                                                                             \
        v[d] = ROTATED(v[d], 8);                                                                                                  \
        v[c] += v[d];                                                                                                             \
        v[b] ^= v[c];                                                                                                             \
        v[b] = ROTATED(v[b], 7);                                                                                                  \
    } while (0)
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15)                                               \
    do {                                                                                                                          \
        MIX(0, 4, 8, 12, s0, s1);                                                                                                 \
        MIX(1, 5, 9, 13, s2, s3);                                                                                                 \
        MIX(2, 6, 10, 14, s4, s5);                                                                                                \
        MIX(3, 7, 11, 15, s6, s7);                                                                                                \
        MIX(0, 5, 10, 15, s8, s9);                                                                                                \
        MIX(1, 6, 11, 12, s10, s11);                                                                                              \
        MIX(2, 7, 8, 13, s12, s13);                                                                                               \
        MIX(3, 4, 9, 14, s14, s15);                                                                                               \
    } while (0)

/* Compresses one block of each lane into its chaining value. */
INLINE void step(lanes cv[8], const uint8_t *const block[LANES], const lanes *low, const lanes *high, const lanes *length,
                 const lanes *flags)
{
    lanes m[16];
    lanes v[16];
    for (int at = 0; at < 16; at++)
        m[at] = (lanes){word(block[0] + 4 * at), word(block[1] + 4 * at), word(block[2] + 4 * at), word(block[3] + 4 * at),
                        word(block[4] + 4 * at), word(block[5] + 4 * at), word(block[6] + 4 * at), word(block[7] + 4 * at)};
    for (int at = 0; at < 8; at++)
        v[at] = cv[at];
    for (int at = 0; at < 4; at++)
        v[8 + at] = (lanes){0} + IV[at];
    v[12] = *low;
    v[13] = *high;
    v[14] = *length;
    v[15] = *flags;
    /* The message's words are taken in another order each round: the permutation of table 2, applied again and again. */
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8);
    ROUND(3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1);
    ROUND(10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6);
    ROUND(12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4);
    ROUND(9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7);
    ROUND(11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13);
    for (int at = 0; at < 8; at++)
        cv[at] = v[at] ^ v[at + 8];
}

/* Does all jobs; a lane that is done with one takes the next. A result may be written over what an earlier job read. */
FOR_EACH_PROCESSOR
static void run(Job *jobs, size_t count)
{
    static const uint8_t nothing[BLOCK];
    uint8_t padded[LANES][BLOCK];
    const uint8_t *block[LANES];
    Job *busy[LANES];
    lanes cv[8], low = {0}, high = {0}, length = {0}, flags = {0};
    size_t next = 0, working = 0;
    memset(cv, 0, sizeof cv);
    for (int lane = 0; lane < LANES; lane++)
        busy[lane] = NULL;
    do {
        working = 0;
        for (int lane = 0; lane < LANES; lane++) {
            Job *job = busy[lane];
            if (job == NULL && next < count) {
                job = busy[lane] = &jobs[next++];
                for (int at = 0; at < 8; at++)
                    cv[at][lane] = IV[at];
                low[lane] = (uint32_t)job->counter;
                high[lane] = (uint32_t)(job->counter >> 32);
            }
            if (job == NULL) {
                block[lane] = nothing;
                continue;
            }
            working++;
            size_t size = job->left < BLOCK ? job->left : BLOCK;
            block[lane] = job->at;
            if (size < BLOCK) {
                memset(padded[lane], 0, BLOCK);
                if (size)
                    memcpy(padded[lane], job->at, size);
                block[lane] = padded[lane];
            }
            length[lane] = (uint32_t)size;
            flags[lane] = job->flags | (job->left <= BLOCK ? job->last : 0);
            job->flags &= ~(uint32_t)CHUNK_START;
            job->at += size;
            job->left -= size;
        }
        if (!working)
            break;
        step(cv, block, &low, &high, &length, &flags);
        for (int lane = 0; lane < LANES; lane++) {
            Job *job = busy[lane];
            if (job == NULL || job->left)
                continue;
            for (int at = 0; at < 8; at++) {
                uint32_t value = cv[at][lane];
                memcpy(job->out + 4 * at, &value, 4);
            }
            busy[lane] = NULL;
        }
    } while (working);
}

/* Chunks of an input; even an empty one has one. */
static size_t chunks_of(size_t length)
{
    return length ? (length + CHUNK - 1) / CHUNK : 1;
}

int blake3_many(const uint8_t *const *inputs, const size_t *lengths, size_t count, uint8_t *out)
{
    size_t total = 0;
    for (size_t at = 0; at < count; at++)
        total += chunks_of(lengths[at]);
    if (total == 0)
        return 0;
    Job *jobs = calloc(total, sizeof *jobs);
    uint8_t *values = malloc(total * OUT);
    size_t *left = malloc(count * sizeof *left);
    if (jobs == NULL || values == NULL || left == NULL) {
        free(jobs);
        free(values);
        free(left);
        return -1;
    }
    size_t job = 0;
    for (size_t at = 0; at < count; at++) {
        left[at] = chunks_of(lengths[at]);
        for (size_t chunk = 0; chunk < left[at]; chunk++, job++) {
            size_t begins = chunk * CHUNK, rest = lengths[at] - begins;
            jobs[job] = (Job){inputs[at] + begins,
                              rest < CHUNK ? rest : CHUNK,
                              chunk,
                              CHUNK_START,
                              CHUNK_END | (left[at] == 1 ? ROOT : 0),
                              values + OUT * job};
        }
    }
    run(jobs, total);
    /* Level by level: what stands beside each other is joined, and what is left over moves up, which gives the tree of the paper. */
    for (;;) {
        uint8_t *first = values;
        job = 0;
        for (size_t at = 0; at < count; first += OUT * chunks_of(lengths[at]), at++)
            for (size_t pair = 0; pair < left[at] / 2; pair++)
                jobs[job++] = (Job){first + 2 * OUT * pair,
                                    BLOCK,
                                    0,
                                    PARENT,
                                    left[at] == 2 ? ROOT : 0,
                                    first + OUT * pair};
        if (job == 0)
            break;
        run(jobs, job);
        first = values;
        for (size_t at = 0; at < count; first += OUT * chunks_of(lengths[at]), at++) {
            if (left[at] > 1 && left[at] % 2)
                memmove(first + OUT * (left[at] / 2), first + OUT * (left[at] - 1), OUT);
            left[at] = (left[at] + 1) / 2;
        }
    }
    uint8_t *first = values;
    for (size_t at = 0; at < count; first += OUT * chunks_of(lengths[at]), at++)
        memcpy(out + OUT * at, first, OUT);
    free(jobs);
    free(values);
    free(left);
    return 0;
}
