// One suite, os-ipc/testing, over everything that gives permits: limits of this machine, and limits on Redis, over
// connections of their own and over clients of every ioredis that is supported.

import { Redis as Redis6 } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import test from 'ava'

import { capabilities, Limit, type PermitSource } from '../../index.js'
import { RedisLimit } from '../../redis.js'
import { permitSourceCases, type PermitSourceSubject, testPermitSource } from '../../testing.js'
import { removeNamed } from '../shared/names.ts'
import { RedisServer, redisServer } from '../redis/helpers/redis.ts'
import { requires } from '../shared/requires.ts'

let made = 0
const freshName = (): string => `/os-ipc-source-${process.pid}-${made++}`

for (const engine of capabilities.limits.engines) {
  const subject: PermitSourceSubject = {
    create: permits => Limit.create(freshName(), { permits, engine }),
    open: name => Limit.open(name, { engine }),
    remove: removeNamed,
  }
  for (const { title, run } of permitSourceCases(subject)) {
    test(`${title} (Limit, ${engine})`, async t => {
      await t.notThrowsAsync(run)
    })
  }
}

/** Every call of a source ends within its lease: 10 s, because all cases run at once. */
const LEASE = 10_000

const undo: (() => unknown)[] = []
let url = ''

test.before(async () => {
  if (redisServer.missing !== undefined) return
  url = (await RedisServer.start({ teardown: fn => undo.push(fn) })).url
})
test.after.always(async () => {
  for (const fn of undo.reverse()) await fn()
})

/** A source over one client for all tests; the client stays open until the end. */
const over = (makeClient: () => Redis6 | Redis5) => {
  let client: Redis6 | Redis5 | undefined
  return (name: string, permits: number): PermitSource => {
    if (client === undefined) {
      client = makeClient()
      undo.push(() => client?.disconnect())
    }
    return RedisLimit.over(client, name, { permits, lease: LEASE })
  }
}

const kinds: Record<string, (name: string, permits: number) => PermitSource> = {
  'a connection of its own': (name, permits) => RedisLimit.connect(url, name, { permits, lease: LEASE }),
  'ioredis 6': over(() => new Redis6(url)),
  'ioredis 5, with automatic pipelines': over(() => new Redis5(url, { enableAutoPipelining: true })),
}

for (const [kind, make] of Object.entries(kinds)) {
  const subject: PermitSourceSubject = {
    create: permits => make(freshName(), permits),
    open: make,
    patience: 20_000,
    // Another client empties Redis: the next refresh finds nothing.
    lose: async (_, source) => {
      const client = new Redis6(url)
      await client.del(`semaphore:os-ipc:${source.name}`)
      await client.quit()
    },
  }
  for (const { title, run } of permitSourceCases(subject)) {
    requires(redisServer)(`${title} (Redis, ${kind})`, async t => {
      await t.notThrowsAsync(run)
    })
  }
}

// ---- the suite itself

test('testPermitSource declares every case with the function that it is given', t => {
  const subject: PermitSourceSubject = { create: () => t.fail() as never, open: () => t.fail() as never }
  const titles: string[] = []
  testPermitSource(title => titles.push(title), subject)
  t.deepEqual(
    titles,
    permitSourceCases(subject).map(({ title }) => title),
  )
  t.true(titles.length > 30)
  t.is(new Set(titles).size, titles.length)
})

/** The faults of a permit source that a user wrote, and the failure that the suite reports. */
const faults: Record<string, { spoil: (source: Limit) => void; found: RegExp }> = {
  'a tryAcquire that never returns null': {
    spoil: source => {
      const { tryAcquire } = source
      Object.assign(source, {
        tryAcquire: () => tryAcquire.call(source) ?? { release() {}, released: false },
      })
    },
    found: /tryAcquire takes a free permit/,
  },
  'a timeout that the source ignores': {
    spoil: source => {
      const { acquire } = source
      Object.assign(source, { acquire: () => acquire.call(source) })
    },
    found: /a timeout rejects a wait/,
  },
  'a use that keeps the permit when its function throws': {
    spoil: source => {
      Object.assign(source, {
        use: async (fn: (permit: unknown) => unknown) => {
          const permit = await source.acquire()
          const result = await fn(permit)
          permit.release()
          return result
        },
      })
    },
    found: /use releases the permit and rejects/,
  },
  'a close that does not end waits': {
    spoil: source => Object.assign(source, { close() {} }),
    found: /close rejects pending waits/,
  },
}

for (const [fault, { spoil, found }] of Object.entries(faults)) {
  test(`the suite finds ${fault}`, async t => {
    const opened: Limit[] = []
    const spoiled = (source: Limit): PermitSource => {
      opened.push(source)
      spoil(source)
      return source
    }
    const cases = permitSourceCases({
      create: permits => spoiled(Limit.create(freshName(), { permits })),
      open: name => spoiled(Limit.open(name)),
      remove: removeNamed,
      patience: 500,
    }).filter(({ title }) => found.test(title))
    t.is(cases.length, 1)
    await t.throwsAsync(async () => cases[0]?.run())
    for (const source of opened) Limit.prototype.close.call(source)
  })
}
