import { channel } from 'node:diagnostics_channel'

import type { ChannelMessage, ChannelWaitMessage } from './channel-messages.js'

const sending = channel('os-ipc:channel:sent')
const receiving = channel('os-ipc:channel:received')
const waiting = channel('os-ipc:channel:wait')

/** Messages were sent at once. */
export function sent(name: string, messages: number): void {
  if (sending.hasSubscribers) sending.publish({ name, messages } satisfies ChannelMessage)
}

/** Messages were received at once. */
export function received(name: string, messages: number): void {
  if (receiving.hasSubscribers) receiving.publish({ name, messages } satisfies ChannelMessage)
}

/** A call begins to wait: a send for room, a receive for a message, either one for another process. */
export function channelWaits(name: string, side: ChannelWaitMessage['side']): void {
  if (waiting.hasSubscribers) waiting.publish({ name, side } satisfies ChannelWaitMessage)
}
