/* Messages of `npm run stress` that show whether they are torn, and its ledger: the same as in stress/channel-messages.ts. */

#define _GNU_SOURCE

#ifdef __linux__

#include "stamped.h"

enum { SENDERS = 4096, MESSAGES = 4096, MOST = 4096 };
enum { CODEC_BYTES = 1, CODEC_JSON = 2 };
enum { BYTES = 1, JSON = 2, TEXT = 4, UINT8_ARRAY = 5, ASCII_TEXT = 6, ASCII_JSON = 7 };

static _Atomic int32_t *ledger_of(const char *name) {
    size_t size = 4 * SENDERS + SENDERS * MESSAGES / 8;
    int file = shm_open(name, O_RDWR, 0);
    void *memory = file < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) perror("ledger"), exit(1);
    close(file);
    return memory;
}

/* The text of a message; returns its length. */
static uint32_t text(uint8_t *into, uint32_t sender, uint32_t sequence) {
    uint64_t spread = (uint64_t)sequence * 7919;
    uint32_t length = (uint32_t)(sequence % 16 == 5 ? 2000 + spread % 1900 : spread % 900);
    uint32_t used = (uint32_t)sprintf((char *)into, "#%u:%u:", sender, sequence);
    if (sequence % 5 == 1) {
        for (uint32_t pair = 0; pair < length >> 3; pair++, used += 5) memcpy(into + used, "é€", 5);
    } else {
        memset(into + used, (int)('a' + (sender + sequence) % 26), length);
        used += length;
    }
    return used;
}

/* A message for a channel of this codec; returns its kind. */
static uint32_t stamp(uint32_t codec, uint8_t *into, uint32_t *length, uint32_t sender, uint32_t sequence) {
    uint32_t form = sequence % 5;
    int is_ascii = form != 1;
    const char *before = "", *after = "";
    if (codec != CODEC_BYTES && form == 2) before = "{\"stamp\":\"", after = "\"}";
    else if (codec == CODEC_JSON) before = after = "\"";
    uint32_t used = (uint32_t)strlen(before);
    memcpy(into, before, used);
    used += text(into + used, sender, sequence);
    memcpy(into + used, after, strlen(after));
    *length = used + (uint32_t)strlen(after);
    if (codec == CODEC_BYTES || (codec != CODEC_JSON && form == 3)) return BYTES;
    if (codec == CODEC_JSON || form == 2) return is_ascii ? ASCII_JSON : JSON;
    return form == 4 ? UINT8_ARRAY : is_ascii ? ASCII_TEXT : TEXT;
}

/* The text in a message of any kind: a value of v8.serialize has it among other bytes. Returns whether it is whole. */
static int unstamp(const uint8_t *bytes, uint32_t length, uint32_t *sender, uint32_t *sequence) {
    static uint8_t expected[MOST + 64];
    for (uint32_t at = 0; at < length; at++) {
        int used = 0;
        if (bytes[at] != '#' || at + 1 == length || bytes[at + 1] < '0' || bytes[at + 1] > '9') continue;
        /* The byte behind the message is 0. */
        if (sscanf((const char *)bytes + at, "#%u:%u:%n", sender, sequence, &used) != 2 || used == 0) continue;
        uint32_t whole = text(expected, *sender, *sequence);
        return whole <= length - at && memcmp(bytes + at, expected, whole) == 0;
    }
    return 0;
}

int send_stamped(struct channel *channel, const char *ledger, uint32_t sender) {
    static uint8_t message[MOST + 64];
    _Atomic int32_t *words = ledger_of(ledger);
    puts("\"ready\"");
    fflush(stdout);
    for (uint32_t sequence = 1;; sequence++) {
        uint32_t length, kind = stamp(channel->header->codec, message, &length, sender, sequence);
        int result = channel_send(channel, kind, message, length);
        if (result != CHANNEL_OK) return printf("\"C sender %u: send failed with %d\"\n", sender, result), 1;
        atomic_store(&words[sender], (int32_t)sequence);
    }
}

int receive_stamped(struct channel *channel, const char *ledger, uint32_t receiver, uint32_t senders) {
    static uint8_t message[MOST + 1];
    static uint32_t last[SENDERS];
    _Atomic int32_t *words = ledger_of(ledger);
    puts("\"ready\"");
    fflush(stdout);
    for (;;) {
        uint32_t kind, sender = 0, sequence = 0, length = MOST;
        int result = channel_receive(channel, &kind, message, &length);
        if (result != CHANNEL_OK) return printf("\"C receiver %u: receive failed with %d\"\n", receiver, result), 1;
        message[length] = 0;
        if (!unstamp(message, length, &sender, &sequence) || sender >= senders || sequence < 1) {
            printf("\"C receiver %u: a torn message\"\n", receiver);
        } else if (sequence <= last[sender]) {
            printf("\"C receiver %u: %u:%u came after %u:%u\"\n", receiver, sender, sequence, sender, last[sender]);
        } else {
            last[sender] = sequence;
            if (sequence >= MESSAGES) continue;
            uint32_t bit = sender * MESSAGES + sequence;
            int32_t mask = (int32_t)(1u << (bit & 31));
            if ((atomic_fetch_or(&words[SENDERS + (bit >> 5)], mask) & mask) == 0) continue;
            printf("\"C receiver %u: %u:%u was received twice\"\n", receiver, sender, sequence);
        }
        fflush(stdout);
    }
}

#else

int send_stamped(void);

#endif
