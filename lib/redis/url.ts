import { wrongValue } from '../errors.js'

/** The content of an address, as options of ioredis. */
interface RedisAddress {
  host?: string
  port?: number
  path?: string
  db?: number
  family?: number
  username?: string
  password?: string
  keyPrefix?: string
  connectionName?: string
  tls?: Record<string, never>
}

/** The schemes of a server, and whether each means TLS. Valkey's are the same as those of Redis. */
const SCHEMES: Readonly<Record<string, boolean>> = {
  'redis:': false,
  'rediss:': true,
  'valkey:': false,
  'valkeys:': true,
}

const EXPECTED =
  'a URL begins with redis://, rediss://, valkey://, valkeys:// or unix:, and a Unix socket is an absolute path'

/** The largest database number that Redis reads: a C `int`. */
const DATABASE_MAX = 2 ** 31 - 1

/** Settings that a query may have. ioredis would read all of its options from there, as strings, and prefer them. */
type Setting = 'db' | 'family' | 'username' | 'password' | 'keyPrefix' | 'connectionName'

const SETTINGS: Readonly<Record<Setting, (value: string) => RedisAddress>> = {
  db: value => ({ db: database(value) }),
  family: value => ({ family: family(value) }),
  username: value => ({ username: value }),
  password: value => ({ password: value }),
  keyPrefix: value => ({ keyPrefix: value }),
  connectionName: value => ({ connectionName: value }),
}

/**
 * Reads the address of a Redis, and checks all of it: a fault that only ioredis finds later is an error that no code can catch,
 * or a socket that it tries for ever.
 *
 * No error shows the part that cannot be read, because it may contain a password.
 */
export function redisAddress(url: string): RedisAddress {
  // ioredis would use the Redis of this machine.
  if (url === '') throw wrongValue('the URL of Redis is empty')
  if (url.startsWith('/')) return socket(url)
  const parsed = parse(url)
  if (parsed.hash !== '') throw unreadable("a '#' in a password is written %23")
  if (parsed.protocol === 'unix:') {
    const at = socket(url.trim().slice('unix:'.length))
    return { ...at, path: decoded(at.path) }
  }
  const tls = SCHEMES[parsed.protocol]
  if (tls === undefined) throw unreadable(`${EXPECTED}; this one begins with ${parsed.protocol}`)
  if (!url.trim().slice(parsed.protocol.length).startsWith('//')) {
    throw unreadable(`'//' and a host follow ${parsed.protocol}`)
  }
  if (parsed.hostname === '') throw unreadable('it names no host')
  const port = parsed.port === '' ? 6379 : Number(parsed.port)
  if (port === 0) throw unreadable('a port is a number from 1 to 65535')
  const path = /^\/?([^/]*)\/?$/.exec(parsed.pathname)?.[1]
  if (path === undefined) throw unreadable('only the number of a database follows the host')
  return {
    ...settingsOf(parsed.searchParams),
    host: decoded(parsed.hostname.replace(/^\[|\]$/g, '')),
    port,
    ...(path !== '' && { db: database(path) }),
    ...(parsed.username !== '' && { username: decoded(parsed.username) }),
    ...(parsed.password !== '' && { password: decoded(parsed.password) }),
    ...(tls && { tls: {} }),
  }
}

function parse(url: string): URL {
  try {
    return new URL(url)
  } catch {
    // This includes a port that is not a number: a '/', '?' or '#' in a password turns the part before it into one.
    throw unreadable(
      /^[a-z][a-z\d+.-]*:\/\//i.test(url)
        ? 'check its host and its port, and write special characters of a password as %XX'
        : EXPECTED,
    )
  }
}

/** Reads a path, with settings behind a question mark. */
function socket(address: string): RedisAddress & { path: string } {
  const [, given = '', query] = /^([^?]*)(?:\?(.*))?$/s.exec(address) ?? []
  const path = given.startsWith('///') ? given.slice(2) : given
  if (!path.startsWith('/') || path.startsWith('//') || path === '/' || path.includes('\0')) {
    throw unreadable('a Unix socket has an absolute path: unix:/run/redis.sock')
  }
  return { ...settingsOf(new URLSearchParams(query)), path }
}

function settingsOf(query: URLSearchParams): RedisAddress {
  const settings: RedisAddress = {}
  for (const [name, value] of query) {
    if (!Object.hasOwn(SETTINGS, name)) {
      throw unreadable(`it has an unknown setting; the known ones are ${Object.keys(SETTINGS).join(', ')}`)
    }
    Object.assign(settings, SETTINGS[name as Setting](value))
  }
  return settings
}

function database(value: string): number {
  if (!/^\d+$/.test(value) || Number(value) > DATABASE_MAX) {
    throw unreadable(`a database is a number from 0 to ${DATABASE_MAX}, as in redis://host:6379/0`)
  }
  return Number(value)
}

function family(value: string): number {
  if (!/^[046]$/.test(value)) throw unreadable('family is 0, 4 or 6')
  return Number(value)
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    throw unreadable('a percent sign in it is written %25')
  }
}

function unreadable(why: string): TypeError {
  return wrongValue(`the URL of Redis cannot be read: ${why}`)
}
