import type { ExecutionContext } from 'ava'

import { Channel, type CreateChannelOptions } from '../../../index.js'
import { uniqueName } from '../../shared/names.ts'

/** A new channel for a test; closed and removed when the test ends. */
export function ownChannel<T = unknown>(
  t: ExecutionContext,
  options: CreateChannelOptions = { capacity: 4096 },
): Channel<T> {
  const name = uniqueName(t)
  const channel = Channel.create<T>(name, options)
  t.teardown(() => {
    channel.close()
    Channel.unlink(name)
  })
  return channel
}
