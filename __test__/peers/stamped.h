/* The messages of `npm run stress`: senders and receivers that run until they are killed. Complaints are lines of JSON. */

#ifndef OS_IPC_STAMPED_H
#define OS_IPC_STAMPED_H

#include "channel.h"

int send_stamped(struct channel *channel, const char *ledger, uint32_t sender);
int receive_stamped(struct channel *channel, const char *ledger, uint32_t receiver, uint32_t senders);

#endif
