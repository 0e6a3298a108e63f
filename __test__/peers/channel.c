/* The commands `channel ...` of the C peer; README.md has them. */

#define _GNU_SOURCE

#ifdef __linux__

#include "channel.h"
#include "stamped.h"

enum { MESSAGE = 1 << 20, TAGS = 256 };

/* peer.c */
const char *errno_name(int number);

static uint8_t message[MESSAGE];

static int is(const char *text, const char *word) { return strcmp(text, word) == 0; }

/* A failure of the channel ends the command; everything else is returned. */
static int checked(int result) {
    static const char *names[] = {"", "", "", "ERR_GONE", "ERR_MESSAGE_TOO_LARGE"};
    if (result == CHANNEL_ERRNO) printf("errno %s\n", errno_name(errno));
    else if (result == CHANNEL_GONE || result == CHANNEL_TOO_LARGE) printf("errno %s\n", names[result]);
    else return result;
    exit(1);
}

static uint32_t from_hex(const char *hex) {
    uint32_t length = (uint32_t)strlen(hex) / 2;
    for (uint32_t i = 0; i < length; i++) sscanf(hex + 2 * i, "%2hhx", &message[i]);
    return length;
}

/* A message of a stream: its tag and its number, then bytes that follow from the number. */
static uint32_t stream_length(uint32_t number, uint32_t most) { return 8 + number * 7919u % (most - 7); }

static void send_stream(struct channel *channel, uint32_t count, uint32_t tag, uint32_t most) {
    for (uint32_t number = 0; number < count; number++) {
        uint32_t length = stream_length(number, most);
        memcpy(message, &tag, 4);
        memcpy(message + 4, &number, 4);
        for (uint32_t i = 8; i < length; i++) message[i] = (uint8_t)(number + i);
        checked(channel_send(channel, 1, message, length));
    }
}

/* Receives streams until the end; each message has to be whole, and in the order of its sender. */
static int drain(struct channel *channel) {
    static uint32_t counts[TAGS];
    for (;;) {
        uint32_t kind, tag, number, length = MESSAGE;
        if (checked(channel_receive(channel, &kind, message, &length)) == CHANNEL_END) break;
        memcpy(&tag, message, 4);
        memcpy(&number, message + 4, 4);
        if (tag >= TAGS || number != counts[tag]) return printf("errno order of %u: %u, not %u\n", tag, number, counts[tag]), 1;
        counts[tag]++;
        for (uint32_t i = 8; i < length; i++)
            if (message[i] != (uint8_t)(number + i)) return printf("errno torn %u of %u\n", number, tag), 1;
    }
    const char *space = "";
    for (uint32_t tag = 0; tag < TAGS; tag++) {
        if (counts[tag] == 0) continue;
        printf("%s%u=%u", space, tag, counts[tag]);
        space = " ";
    }
    return puts(""), 0;
}

static int receive(struct channel *channel, long count) {
    const char *space = "";
    for (; count > 0; count--) {
        uint32_t kind, length = MESSAGE;
        if (checked(channel_receive(channel, &kind, message, &length)) == CHANNEL_END) {
            printf("%send", space);
            break;
        }
        printf("%s%u:", space, kind);
        for (uint32_t i = 0; i < length; i++) printf("%02x", message[i]);
        space = " ";
    }
    return puts(""), 0;
}

/* Takes a lock, with a record half written, and keeps it until it is killed. */
static int hold(struct channel *channel, const char *side) {
    int sends = is(side, "send");
    while (!channel_lock(channel, sends ? &channel->senders : &channel->receivers)) usleep(1000);
    if (sends) *channel_at(channel, (uint32_t)atomic_load(&channel->header->end)) = 0x7fffffff;
    puts("held");
    fflush(stdout);
    for (;;) pause();
}

int channel_command(int count, char **arguments) {
    if (count < 4) return fputs("usage: peer channel VERB NAME ...\n", stderr), 2;
    const char *verb = arguments[2];
    struct channel channel;
    checked(channel_open(&channel, arguments[3]));
    int result = 0;
    if (is(verb, "send")) {
        for (int i = 5; i < count; i++) {
            uint32_t length = from_hex(arguments[i]);
            checked(channel_send(&channel, (uint32_t)atoi(arguments[4]), message, length));
        }
        puts("ok");
    } else if (is(verb, "receive")) {
        result = receive(&channel, count > 4 ? atol(arguments[4]) : 1);
    } else if (is(verb, "stream") && count == 7) {
        send_stream(&channel, (uint32_t)atoi(arguments[4]), (uint32_t)atoi(arguments[5]), (uint32_t)atoi(arguments[6]));
        puts("ok");
    } else if (is(verb, "drain")) {
        result = drain(&channel);
    } else if (is(verb, "hold") && count == 5) {
        result = hold(&channel, arguments[4]);
    } else if (is(verb, "stamp") && count == 6) {
        result = send_stamped(&channel, arguments[4], (uint32_t)atoi(arguments[5]));
    } else if (is(verb, "check") && count == 7) {
        result = receive_stamped(&channel, arguments[4], (uint32_t)atoi(arguments[5]), (uint32_t)atoi(arguments[6]));
    } else if (is(verb, "end")) {
        channel_end(&channel);
        puts("ok");
    } else {
        fputs("usage: peer channel VERB NAME ...\n", stderr);
        result = 2;
    }
    channel_close(&channel);
    return result;
}

#else

int channel_command(int count, char **arguments);

#endif
