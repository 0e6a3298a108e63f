// The second process of a contender on Node.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { home } from './programs.mjs'

/** Starts `partners/NAME.mjs` with arguments and waits for its first message; it ends with the contender. */
export async function partner(name, args, { atTheEnd }, options = {}) {
  const child = fork(join(home, 'partners', `${name}.mjs`), args, { execArgv: [], ...options })
  atTheEnd(() => child.kill('SIGKILL'))
  // A contender that is killed takes its channel with it, and the partner ends (see partners/channel.mjs).
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the partner ${name} ended with ${code}`)
  })
  ended.catch(() => {})
  await Promise.race([once(child, 'message'), ended])
  return child
}
