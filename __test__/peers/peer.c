/* The C peer of the interop tests; README.md has its commands. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MODE 0600

#ifndef __APPLE__
/* macOS has it in <sys/sem.h>; elsewhere semctl(2) tells the caller to define it. */
union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
};
#endif

static int argument_count;
static char **arguments;

static int is(const char *text, const char *word) { return strcmp(text, word) == 0; }

static void usage(void) {
    fputs("usage: peer FACILITY VERB NAME [ARGUMENTS]; see README.md\n", stderr);
    exit(2);
}

static const char *argument(int index) {
    if (index >= argument_count) usage();
    return arguments[index];
}

static long number(int index) { return strtol(argument(index), NULL, 0); }

const char *errno_name(int number);

const char *errno_name(int number) {
    static const struct { int number; const char *name; } names[] = {
        {EACCES, "EACCES"}, {EAGAIN, "EAGAIN"}, {EEXIST, "EEXIST"}, {EFBIG, "EFBIG"},   {EIDRM, "EIDRM"},
        {EINTR, "EINTR"},   {EINVAL, "EINVAL"}, {ELOOP, "ELOOP"},   {ENOENT, "ENOENT"}, {ENOMEM, "ENOMEM"},
        {ENOSPC, "ENOSPC"}, {ENOSYS, "ENOSYS"}, {EPERM, "EPERM"},   {ERANGE, "ERANGE"}, {EOVERFLOW, "EOVERFLOW"},
        {E2BIG, "E2BIG"},   {ENXIO, "ENXIO"},   {EISDIR, "EISDIR"}, {ENAMETOOLONG, "ENAMETOOLONG"},
        {EPROTO, "EPROTO"}, {ENOLCK, "ENOLCK"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == number) return names[i].name;
    return strerror(number);
}

static void failed(int number) {
    printf("errno %s\n", errno_name(number));
    exit(1);
}

/* Answers a call's result, or ends with its errno. */
static long check(long result) {
    if (result == -1) failed(errno);
    return result;
}

static int answer_ok(void) { return puts("ok"), 0; }
static int answer_number(long value) { return printf("%ld\n", value), 0; }
/* The verb is none that this facility has. */
static int answer_unknown(void) { return usage(), 2; }

/* "false" when there was nothing to take, or not in time. */
static int answer_taken(int result) {
    if (result == -1 && (errno == EAGAIN || errno == ETIMEDOUT)) return puts("false"), 0;
    check(result);
    return answer_ok();
}

static key_t name_key(const char *name) {
    uint32_t hash = 0x811c9dc5;
    if (*name != '/') hash = (hash ^ '/') * 0x01000193;
    for (; *name; name++) hash = (hash ^ (unsigned char)*name) * 0x01000193;
    return (key_t)hash;
}

/* ---- System V semaphores: what semget(2), semop(2) and semctl(2) do, on semaphore 0 ---- */

static int sysv_take(int set, int flags, const struct timespec *limit) {
    struct sembuf take = {0, -1, (short)flags};
    int result;
#ifdef __APPLE__
    if (limit) failed(ENOSYS);
    do result = semop(set, &take, 1);
#else
    do result = semtimedop(set, &take, 1, limit);
#endif
    while (result == -1 && errno == EINTR);
    return result;
}

static int sysv_semaphore(const char *verb, key_t key) {
    if (is(verb, "create") || is(verb, "ensure")) {
        int set = semget(key, 1, IPC_CREAT | IPC_EXCL | MODE);
        if (set == -1 && errno == EEXIST && is(verb, "ensure")) {
            check(semget(key, 1, 0));
            return answer_ok();
        }
        check(set);
        union semun initial = {.val = (int)number(4)};
        check(semctl(set, 0, SETVAL, initial));
        return answer_ok();
    }
    int set = (int)check(semget(key, 0, 0));
    if (is(verb, "open")) return answer_ok();
    if (is(verb, "post")) {
        struct sembuf post = {0, (short)(argument_count > 4 ? number(4) : 1), 0};
        check(semop(set, &post, 1));
        return answer_ok();
    }
    if (is(verb, "try")) return answer_taken(sysv_take(set, IPC_NOWAIT, NULL));
    if (is(verb, "wait")) {
        if (argument_count <= 4) return answer_taken(sysv_take(set, 0, NULL));
        long milliseconds = number(4);
        struct timespec limit = {milliseconds / 1000, milliseconds % 1000 * 1000000};
        return answer_taken(sysv_take(set, 0, &limit));
    }
    if (is(verb, "value")) return answer_number(check(semctl(set, 0, GETVAL)));
    if (is(verb, "waiters")) return answer_number(check(semctl(set, 0, GETNCNT)));
    if (is(verb, "unlink")) {
        check(semctl(set, 0, IPC_RMID));
        return answer_ok();
    }
    return answer_unknown();
}

/* ---- POSIX semaphores: sem_open(3) ---- */

static int posix_wait(sem_t *semaphore) {
    int result;
    if (argument_count <= 4) {
        do result = sem_wait(semaphore);
        while (result == -1 && errno == EINTR);
        return result;
    }
#ifdef __APPLE__
    failed(ENOSYS);
    return -1;
#else
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    long nanoseconds = until.tv_nsec + number(4) % 1000 * 1000000;
    until.tv_sec += number(4) / 1000 + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    do result = sem_timedwait(semaphore, &until);
    while (result == -1 && errno == EINTR);
    return result;
#endif
}

/* Adds 1 to the number at the start of the memory of the same name, so often, each time between a wait and a post. */
static int posix_guarded(sem_t *semaphore, const char *name, long count) {
    int file = (int)check(shm_open(name, O_RDWR, 0));
    volatile int32_t *numbers = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (numbers == MAP_FAILED) failed(errno);
    for (; count > 0; count--) {
        while (sem_wait(semaphore) == -1)
            if (errno != EINTR) failed(errno);
        int32_t number = numbers[0];
        numbers[1] = (int32_t)count;
        numbers[0] = number + 1;
        check(sem_post(semaphore));
    }
    return answer_ok();
}

static int posix_semaphore(const char *verb, const char *name) {
    if (is(verb, "unlink")) {
        check(sem_unlink(name));
        return answer_ok();
    }
    sem_t *semaphore;
    if (is(verb, "create")) semaphore = sem_open(name, O_CREAT | O_EXCL, MODE, (unsigned)number(4));
    else if (is(verb, "ensure")) semaphore = sem_open(name, O_CREAT, MODE, (unsigned)number(4));
    else semaphore = sem_open(name, 0);
    if (semaphore == SEM_FAILED) failed(errno);
    if (is(verb, "create") || is(verb, "ensure") || is(verb, "open")) return answer_ok();
    if (is(verb, "post")) {
        for (long count = argument_count > 4 ? number(4) : 1; count > 0; count--) check(sem_post(semaphore));
        return answer_ok();
    }
    if (is(verb, "try")) return answer_taken(sem_trywait(semaphore));
    if (is(verb, "wait")) return answer_taken(posix_wait(semaphore));
    if (is(verb, "guarded")) return posix_guarded(semaphore, name, number(4));
#ifndef __APPLE__
    if (is(verb, "value")) {
        int value;
        check(sem_getvalue(semaphore, &value));
        return answer_number(value);
    }
#endif
    return answer_unknown();
}

/* ---- memory ---- */

/* `write` and `read` at an offset, the same for both kinds. */
static int copy(const char *verb, unsigned char *memory, long size) {
    long offset = number(4);
    if (is(verb, "write")) {
        const char *hex = argument(5);
        long length = (long)strlen(hex) / 2;
        if (offset < 0 || offset + length > size) failed(EFBIG);
        for (long i = 0; i < length; i++) {
            unsigned byte;
            if (sscanf(hex + 2 * i, "%2x", &byte) != 1) usage();
            memory[offset + i] = (unsigned char)byte;
        }
        return answer_ok();
    }
    if (!is(verb, "read")) return answer_unknown();
    long length = number(5);
    if (offset < 0 || offset + length > size) failed(EFBIG);
    for (long i = 0; i < length; i++) printf("%02x", memory[offset + i]);
    return puts(""), 0;
}

static int posix_memory(const char *verb, const char *name) {
    if (is(verb, "unlink")) {
        check(shm_unlink(name));
        return answer_ok();
    }
    if (is(verb, "create")) {
        int fd = (int)check(shm_open(name, O_RDWR | O_CREAT | O_EXCL, MODE));
        check(ftruncate(fd, number(4)));
        return answer_ok();
    }
    int fd = (int)check(shm_open(name, O_RDWR, 0));
    if (is(verb, "open")) return answer_ok();
    if (is(verb, "truncate")) {
        check(ftruncate(fd, number(4)));
        return answer_ok();
    }
    struct stat stat;
    check(fstat(fd, &stat));
    if (is(verb, "size")) return answer_number((long)stat.st_size);
    if (stat.st_size == 0) failed(EFBIG);
    void *memory = mmap(NULL, (size_t)stat.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) failed(errno);
    return copy(verb, memory, (long)stat.st_size);
}

static int sysv_memory(const char *verb, key_t key) {
    if (is(verb, "create")) {
        check(shmget(key, (size_t)number(4), IPC_CREAT | IPC_EXCL | MODE));
        return answer_ok();
    }
    int id = (int)check(shmget(key, 0, 0));
    struct shmid_ds about;
    if (is(verb, "open")) return answer_ok();
    if (is(verb, "id")) return answer_number(id);
    if (is(verb, "unlink")) {
        check(shmctl(id, IPC_RMID, NULL));
        return answer_ok();
    }
    check(shmctl(id, IPC_STAT, &about));
    if (is(verb, "size")) return answer_number((long)about.shm_segsz);
    void *memory = shmat(id, NULL, 0);
    if (memory == (void *)-1) failed(errno);
    return copy(verb, memory, (long)about.shm_segsz);
}

/* channel.c */
int channel_command(int count, char **arguments);

int main(int count, char **values) {
    argument_count = count;
    arguments = values;
    const char *facility = argument(1);
#ifdef __linux__
    if (is(facility, "channel")) return channel_command(count, values);
#endif
    const char *verb = argument(2);
    if (is(facility, "key")) return answer_number(name_key(verb));
    if (is(facility, "ftok")) return answer_number(check(ftok(verb, (int)number(3))));
    const char *name = argument(3);
    if (is(facility, "sem-sysv")) return sysv_semaphore(verb, name_key(name));
    if (is(facility, "sem-key")) return sysv_semaphore(verb, (key_t)number(3));
    if (is(facility, "sem-posix")) return posix_semaphore(verb, name);
    if (is(facility, "shm-posix")) return posix_memory(verb, name);
    if (is(facility, "shm-sysv")) return sysv_memory(verb, (key_t)number(3));
    usage();
}
