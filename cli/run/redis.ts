import { usage } from '../core/failure.js'
import { target } from '../core/target.js'
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
  const { RedisSemaphore } = await import('../../redis.js')
  return RedisSemaphore.connect(addressOf(address), meant.name, options)
}

/** An address is itself, or `env:NAME`: what is on a command line, passwords too, every user of the host can read. */
function addressOf(text: string): string {
  const [, variable] = /^env:(.*)$/s.exec(text) ?? []
  if (variable === undefined) return text
  const address = process.env[variable]
  if (address === undefined || address === '')
    throw usage(`the environment has no ${variable}`, '--redis wants an address, or env:NAME')
  return address
}
