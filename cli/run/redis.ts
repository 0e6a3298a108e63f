import { usage } from '../core/failure.js'
import { target } from '../core/target.js'
import { addressOf } from './address.js'
import type { PermitSource } from './permits.js'

/** Permits of a name that many machines share through Redis; `os-ipc/redis` and its peers are loaded only here. */
export async function redisPermits(
  address: string,
  name: string,
  options: { readonly permits: number; readonly lease: number | undefined },
): Promise<PermitSource> {
  const meant = target(name)
  if (meant.type !== 'name')
    throw usage('the permits on Redis have a name, not a key', `a name of digits is written /${name}`)
  const { RedisLimit } = await import('../../redis.js')
  return RedisLimit.connect(addressOf(address, '--redis'), meant.name, options)
}
