import { subscribe } from 'node:diagnostics_channel'

import { CHANNELS } from './heard.ts'

/** Subscribes to every channel with a function that throws; returns the messages of the uncaught errors, as they come. */
export function throwInEverySubscriber(): string[] {
  const uncaught: string[] = []
  process.on('uncaughtException', ({ message }) => uncaught.push(message))
  for (const channel of CHANNELS) {
    subscribe(channel, () => {
      throw new Error(channel.slice('os-ipc:'.length))
    })
  }
  return uncaught
}

/** The code of an error, or its name. */
export const codeOf = (error: { code?: unknown; name: string }): unknown =>
  typeof error.code === 'string' ? error.code : error.name
