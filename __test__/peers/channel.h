/* A channel of os-ipc in C, by the layout of docs/interop.md and by nothing else. Linux. */

#ifndef OS_IPC_CHANNEL_H
#define OS_IPC_CHANNEL_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum { CHANNEL_HEADER = 8192, CHANNEL_SLOTS = 255, CHANNEL_VERSION = 1, CHANNEL_MAGIC = 0x6e68436f };
enum { CHANNEL_ENDED = 1, CHANNEL_REMOVED = 2, CHANNEL_CORRUPT = 4 };
enum { CHANNEL_SENDS = 1, CHANNEL_RECEIVES = 2 };

struct channel_slot {
    _Atomic uint64_t identity;
    _Atomic uint32_t generation;
    _Atomic uint32_t role;
};

/* The header, as it lies in memory. */
struct channel_header {
    _Atomic uint32_t magic;
    uint32_t version, header, capacity, slots, codec;
    uint64_t instance;
    _Atomic uint64_t creator;
    uint32_t namespace, name_length, mode, backend, unused1[2];
    _Atomic int32_t end;
    _Atomic uint32_t send_lock;
    uint32_t sent, unused2[13];
    _Atomic int32_t begin;
    _Atomic uint32_t receive_lock;
    uint32_t received, unused3[13];
    _Atomic uint32_t receivers_asleep, senders_asleep, state;
    uint32_t unused4[13];
    char name[3840];
    struct channel_slot slot[CHANNEL_SLOTS];
};

_Static_assert(offsetof(struct channel_header, end) == 64, "end");
_Static_assert(offsetof(struct channel_header, begin) == 128, "begin");
_Static_assert(offsetof(struct channel_header, receivers_asleep) == 192, "receiversAsleep");
_Static_assert(offsetof(struct channel_header, name) == 256, "name");
_Static_assert(offsetof(struct channel_header, slot) == 4096, "slots");

/* One side: its lock, the number of its sleepers, and the System V semaphore that wakes them. */
struct channel_side {
    _Atomic uint32_t *lock, *asleep;
    int semaphore;
    /* Whether this process is in the number of sleepers. */
    int counted;
};

struct channel {
    struct channel_header *header;
    uint8_t *ring;
    size_t size;
    uint32_t capacity;
    int32_t units;
    struct channel_slot *slot;
    uint32_t word;
    struct channel_side senders, receivers;
};

/* The results of the functions below. Each function returns CHANNEL_OK or another one of these. */
enum { CHANNEL_OK, CHANNEL_LATER, CHANNEL_END, CHANNEL_GONE, CHANNEL_TOO_LARGE, CHANNEL_ERRNO };

static inline uint64_t channel_hash(const void *bytes, size_t length, uint64_t hash) {
    for (size_t i = 0; i < length; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
    return hash;
}

/* The System V semaphore of a side: its key is FNV-1a 32 of its name. */
static inline int channel_semaphore(const char *side, uint64_t hash) {
    char name[64];
    snprintf(name, sizeof name, "/os-ipc.%s.%016llx", side, (unsigned long long)hash);
    uint32_t key = 0x811c9dc5;
    for (const char *c = name; *c; c++) key = (key ^ (unsigned char)*c) * 0x01000193;
    return semget((key_t)key, 0, 0);
}

/* The state and the start time of a process, from /proc/PID/stat; 0 if it has gone. */
static inline int channel_process(uint32_t pid, char *state, uint32_t *started) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    errno = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = 0;
    /* The second field is a name that may contain anything, even ") ". */
    char *field = strrchr(text, ')');
    if (field == NULL) return 0;
    *state = field[2];
    field += 1;
    for (int number = 3; number < 22 && field != NULL; number++) field = strchr(field + 1, ' ');
    if (field == NULL) return 0;
    *started = (uint32_t)strtoull(field, NULL, 10);
    return 1;
}

static inline uint64_t channel_identity(void) {
    char state;
    uint32_t started = 0, pid = (uint32_t)getpid();
    channel_process(pid, &state, &started);
    return (uint64_t)pid << 32 | started;
}

/* Whether the kernel proves that a process is dead. If in doubt, it is alive. */
static inline int channel_is_dead(uint64_t identity) {
    char state;
    uint32_t started, pid = (uint32_t)(identity >> 32);
    if (!channel_process(pid, &state, &started)) return errno == ENOENT || errno == ESRCH;
    if (started != (uint32_t)identity) return 1;
    if (state != 'Z' && state != 'X') return 0;
    /* Its first thread has ended; others may run. */
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0) return errno == ESRCH;
    struct pollfd ended = {process, POLLIN, 0};
    int readable = poll(&ended, 1, 0) == 1;
    close(process);
    return readable;
}

static inline int channel_join(struct channel *channel) {
    struct channel_header *header = channel->header;
    uint64_t own = channel_identity();
    for (int round = 0; round < 2; round++) {
        for (uint32_t number = 1; number <= CHANNEL_SLOTS; number++) {
            struct channel_slot *slot = &header->slot[number - 1];
            uint64_t found = atomic_load(&slot->identity);
            /* In the second round the slots of dead processes are free too. */
            if (found != 0 && (round == 0 || !channel_is_dead(found))) continue;
            if (!atomic_compare_exchange_strong(&slot->identity, &found, own)) continue;
            channel->slot = slot;
            channel->word = (atomic_fetch_add(&slot->generation, 1) + 1) << 8 | number;
            _Atomic uint32_t *locks[] = {channel->senders.lock, channel->receivers.lock};
            for (int lock = 0; lock < 2; lock++) {
                uint32_t word = atomic_load(locks[lock]);
                if ((word & 255) == number && word != channel->word)
                    atomic_compare_exchange_strong(locks[lock], &word, 0);
            }
            return CHANNEL_OK;
        }
    }
    errno = ENOLCK;
    return CHANNEL_ERRNO;
}

/* Opens a channel by its name, slash included; CHANNEL_ERRNO with ENOENT, EPROTO (another layout), EINVAL (nonsense). */
static inline int channel_open(struct channel *channel, const char *name) {
    char path[64];
    uint64_t hash = channel_hash(name, strlen(name), 0xcbf29ce484222325);
    snprintf(path, sizeof path, "/os-ipc.ch.%016llx", (unsigned long long)hash);
    int file = shm_open(path, O_RDWR, 0);
    struct stat about;
    if (file < 0 || fstat(file, &about) < 0) return CHANNEL_ERRNO;
    channel->size = (size_t)about.st_size;
    errno = EINVAL;
    if (channel->size < CHANNEL_HEADER) return CHANNEL_ERRNO;
    void *memory = mmap(NULL, channel->size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED) return CHANNEL_ERRNO;
    struct channel_header *header = channel->header = memory;
    errno = EAGAIN; /* its creator is not done */
    if (atomic_load(&header->magic) != CHANNEL_MAGIC) return CHANNEL_ERRNO;
    errno = EPROTO;
    if (header->version != CHANNEL_VERSION || header->backend != 1) return CHANNEL_ERRNO;
    uint32_t capacity = channel->capacity = header->capacity;
    errno = EINVAL;
    if (header->header != CHANNEL_HEADER || header->slots != CHANNEL_SLOTS) return CHANNEL_ERRNO;
    if (capacity < 64 || capacity > 1u << 30 || (capacity & (capacity - 1)) != 0) return CHANNEL_ERRNO;
    if (channel->size < CHANNEL_HEADER + (size_t)capacity) return CHANNEL_ERRNO;
    if (header->name_length != strlen(name) || memcmp(header->name, name, strlen(name)) != 0)
        return CHANNEL_ERRNO;
    if (stat("/proc/self/ns/pid", &about) == 0 && header->namespace != (uint32_t)about.st_ino)
        return CHANNEL_ERRNO;
    channel->ring = (uint8_t *)memory + CHANNEL_HEADER;
    channel->units = (int32_t)(capacity / 8);
    uint64_t instance = channel_hash(&header->instance, 8, hash);
    channel->senders = (struct channel_side){&header->send_lock, &header->senders_asleep, 0, 0};
    channel->receivers = (struct channel_side){&header->receive_lock, &header->receivers_asleep, 0, 0};
    channel->senders.semaphore = channel_semaphore("cs", instance);
    channel->receivers.semaphore = channel_semaphore("cr", instance);
    if (channel->senders.semaphore < 0 || channel->receivers.semaphore < 0) return CHANNEL_ERRNO;
    return channel_join(channel);
}

static inline void channel_close(struct channel *channel) {
    atomic_store(&channel->slot->role, 0);
    atomic_store(&channel->slot->identity, 0);
    munmap(channel->header, channel->size);
}

/* Takes a lock; false if a living process has it. */
static inline int channel_lock(struct channel *channel, struct channel_side *side) {
    uint32_t owner = 0;
    for (int spins = 0; spins < 100; spins++) {
        owner = 0;
        if (atomic_compare_exchange_strong(side->lock, &owner, channel->word)) return 1;
    }
    uint32_t number = owner & 255;
    if (number != 0) {
        struct channel_slot *slot = &channel->header->slot[number - 1];
        uint64_t identity = atomic_load(&slot->identity);
        if ((atomic_load(&slot->generation) & 0xffffff) == owner >> 8 && identity != 0 && !channel_is_dead(identity))
            return 0;
    }
    return atomic_compare_exchange_strong(side->lock, &owner, channel->word);
}

static inline void channel_unlock(struct channel_side *side) { atomic_store(side->lock, 0); }

/* Takes one away from the number of sleepers; false if there are none. */
static inline int channel_count_down(struct channel_side *side) {
    uint32_t number = atomic_load(side->asleep);
    while (number != 0)
        if (atomic_compare_exchange_weak(side->asleep, &number, number - 1)) return 1;
    return 0;
}

static inline void channel_post(struct channel_side *side) {
    struct sembuf post = {0, 1, 0};
    semop(side->semaphore, &post, 1);
}

static inline void channel_wake(struct channel_side *side) {
    if (channel_count_down(side)) channel_post(side);
}

/* Before a new attempt: counts this process as asleep, or waits for a unit if it is counted already. */
static inline int channel_sleep(struct channel_side *side) {
    if (!side->counted) {
        atomic_fetch_add(side->asleep, 1);
        side->counted = 1;
        return CHANNEL_OK;
    }
    struct sembuf take = {0, -1, 0};
    struct timespec limit = {0, 100 * 1000 * 1000};
    if (semtimedop(side->semaphore, &take, 1, &limit) == 0) side->counted = 0; /* its poster counted down */
    else if (errno == EIDRM || errno == EINVAL) return CHANNEL_GONE;
    return CHANNEL_OK;
}

static inline void channel_get_up(struct channel_side *side) {
    if (side->counted) channel_count_down(side);
    side->counted = 0;
}

/* The number of used units; -1 if the channel is corrupt. */
static inline int32_t channel_used(struct channel *channel) {
    int32_t begin = atomic_load(&channel->header->begin);
    int32_t used = (int32_t)((uint32_t)atomic_load(&channel->header->end) - (uint32_t)begin);
    if (used >= 0 && used <= channel->units) return used;
    atomic_fetch_or(&channel->header->state, CHANNEL_CORRUPT);
    return -1;
}

static inline int32_t *channel_at(struct channel *channel, uint32_t position) {
    return (int32_t *)(channel->ring + 8 * (size_t)(position & (uint32_t)(channel->units - 1)));
}

/* Sends a message if there is room now: CHANNEL_OK, CHANNEL_LATER, CHANNEL_GONE or CHANNEL_TOO_LARGE. */
static inline int channel_try_send(struct channel *channel, uint32_t kind, const void *bytes, uint32_t length) {
    struct channel_header *header = channel->header;
    if (length > channel->capacity / 2 - 8) return CHANNEL_TOO_LARGE;
    if (!channel_lock(channel, &channel->senders)) return CHANNEL_LATER;
    int32_t used = channel_used(channel);
    if (atomic_load(&header->state) != 0) return channel_unlock(&channel->senders), CHANNEL_GONE;
    uint32_t end = (uint32_t)atomic_load(&header->end);
    int32_t need = (int32_t)((length + 15) / 8);
    int32_t tail = channel->units - (int32_t)(end & (uint32_t)(channel->units - 1));
    int32_t wasted = need > tail ? tail : 0;
    if (need + wasted > channel->units - used) return channel_unlock(&channel->senders), CHANNEL_LATER;
    if (wasted) *channel_at(channel, end) = -1;
    int32_t *record = channel_at(channel, end + (uint32_t)wasted);
    record[0] = (int32_t)length;
    record[1] = (int32_t)kind;
    memcpy(record + 2, bytes, length);
    header->sent++;
    atomic_fetch_or(&channel->slot->role, CHANNEL_SENDS);
    atomic_store(&header->end, (int32_t)(end + (uint32_t)(need + wasted)));
    channel_unlock(&channel->senders);
    channel_wake(&channel->receivers);
    if (channel->units - used - need - wasted >= channel->units / 2) channel_wake(&channel->senders);
    return CHANNEL_OK;
}

/* Whether nothing will ever come again. The order of the loads matters. */
static inline int channel_drained(struct channel *channel) {
    struct channel_header *header = channel->header;
    if ((atomic_load(&header->state) & CHANNEL_ENDED) == 0) return 0;
    if (!channel_lock(channel, &channel->senders)) return 0;
    int empty = atomic_load(&header->end) == atomic_load(&header->begin);
    channel_unlock(&channel->senders);
    return empty;
}

/*
 * Takes a message if there is one now: CHANNEL_OK, CHANNEL_LATER, CHANNEL_END, CHANNEL_GONE or CHANNEL_TOO_LARGE (it stays,
 * and `length` is its length). `length` is the room in `bytes`, and then the length of the message.
 */
static inline int channel_try_receive(struct channel *channel, uint32_t *kind, void *bytes, uint32_t *length) {
    struct channel_header *header = channel->header;
    if (!channel_lock(channel, &channel->receivers)) return CHANNEL_LATER;
    int result = CHANNEL_OK;
    int32_t used = channel_used(channel);
    uint32_t begin = (uint32_t)atomic_load(&header->begin);
    uint32_t state = atomic_load(&header->state);
    if (state & CHANNEL_CORRUPT) result = CHANNEL_GONE;
    else if (used == 0) result = state & CHANNEL_REMOVED ? CHANNEL_GONE : CHANNEL_LATER;
    if (result == CHANNEL_OK) {
        volatile int32_t *record = channel_at(channel, begin);
        int32_t at = (int32_t)(begin & (uint32_t)(channel->units - 1));
        int32_t skipped = 0, size = record[0];
        if (size == -1) {
            skipped = channel->units - at;
            at = 0;
            record = (int32_t *)channel->ring;
            size = record[0];
        }
        int32_t written_kind = record[1], units = (int32_t)(((int64_t)size + 15) / 8), taken = skipped + units;
        if (size < 0 || (uint32_t)size > channel->capacity / 2 - 8 || taken > used || at + units > channel->units || written_kind == 0) {
            atomic_fetch_or(&header->state, CHANNEL_CORRUPT);
            result = CHANNEL_GONE;
        } else if ((uint32_t)size > *length) {
            result = CHANNEL_TOO_LARGE;
        } else {
            *kind = (uint32_t)written_kind;
            memcpy(bytes, (const uint8_t *)record + 8, (size_t)size);
            header->received++;
            atomic_fetch_or(&channel->slot->role, CHANNEL_RECEIVES);
            used -= taken;
            atomic_store(&header->begin, (int32_t)(begin + (uint32_t)taken));
        }
        *length = (uint32_t)size;
    }
    channel_unlock(&channel->receivers);
    if (used <= channel->units / 2) channel_wake(&channel->senders);
    if (channel_used(channel) > 0) channel_wake(&channel->receivers);
    return result == CHANNEL_LATER && channel_drained(channel) ? CHANNEL_END : result;
}

/* Sends a message, when there is room. */
static inline int channel_send(struct channel *channel, uint32_t kind, const void *bytes, uint32_t length) {
    int result;
    while ((result = channel_try_send(channel, kind, bytes, length)) == CHANNEL_LATER)
        if (channel_sleep(&channel->senders) != CHANNEL_OK) return CHANNEL_GONE;
    channel_get_up(&channel->senders);
    return result;
}

/* Receives a message, when there is one; CHANNEL_END at the end. */
static inline int channel_receive(struct channel *channel, uint32_t *kind, void *bytes, uint32_t *length) {
    int result;
    while ((result = channel_try_receive(channel, kind, bytes, length)) == CHANNEL_LATER)
        if (channel_sleep(&channel->receivers) != CHANNEL_OK) return CHANNEL_GONE;
    channel_get_up(&channel->receivers);
    return result;
}

/* Ends the channel for everybody. */
static inline void channel_end(struct channel *channel) {
    atomic_fetch_or(&channel->header->state, CHANNEL_ENDED);
    while (channel_count_down(&channel->senders)) channel_post(&channel->senders);
    while (channel_count_down(&channel->receivers)) channel_post(&channel->receivers);
}

#endif
