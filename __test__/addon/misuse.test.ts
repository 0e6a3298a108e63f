// Mistakes of a program: each call throws before it does anything, and the message has the right call.

import test, { type ExecutionContext } from 'ava'

import { Channel, Limit, locks, Permit, Semaphore, SharedMemory, type WaitOptions } from '../../index.js'
import { PostgresLocks } from '../../postgres.js'
import { RedisLimit, RedisPermit } from '../../redis.js'
import { permitSourceCases } from '../../testing.js'
import { uniqueName } from '../shared/names.ts'
import { inspection, requires } from '../shared/requires.ts'

/** Options that the types refuse. */
const wrong = (options: object) => options as never
const nowhere = 'postgres://localhost:1/none'

const source = (t: ExecutionContext) => {
  const limit = RedisLimit.connect('redis://localhost:1', uniqueName(t), { permits: 1 })
  t.teardown(() => limit.close())
  return limit
}

/** Every call that takes options, with a misspelt one, and the option that was meant. */
const misspelt: Record<
  string,
  readonly [meant: string, call: (t: ExecutionContext, name: string) => unknown]
> = {
  'Semaphore.create': ['initial', (_, name) => Semaphore.create(name, wrong({ initail: 1 }))],
  'Semaphore.open': ['owner', (_, name) => Semaphore.open(name, wrong({ ownr: 1 }))],
  'Semaphore.openOrCreate': [
    'backend',
    (_, name) => Semaphore.openOrCreate(name, wrong({ initial: 1, backnd: 'posix' })),
  ],
  'Semaphore.unlink': ['backend', (_, name) => Semaphore.unlink(name, wrong({ backened: 'posix' }))],
  'SharedMemory.create': ['size', (_, name) => SharedMemory.create(name, wrong({ sise: 1 }))],
  'SharedMemory.open': ['readOnly', (_, name) => SharedMemory.open(name, wrong({ readonly: true }))],
  'SharedMemory.openOrCreate': [
    'mode',
    (_, name) => SharedMemory.openOrCreate(name, wrong({ size: 1, mod: 0 })),
  ],
  'SharedMemory.attach': ['readOnly', () => SharedMemory.attach(1, wrong({ readOnyl: true }))],
  'RedisLimit.connect': [
    'lease',
    (_, name) => RedisLimit.connect('redis://h', name, wrong({ permits: 1, leese: 1_000 })),
  ],
  'RedisLimit.acquire': ['timeout', t => source(t).acquire(wrong({ timeuot: 5 }))],
  'RedisLimit.use': ['signal', t => source(t).use(() => t.fail(), wrong({ singal: undefined }))],
  'PostgresLocks.connect': ['deadAfter', () => PostgresLocks.connect(nowhere, wrong({ deadafter: 5_000 }))],
  permitSourceCases: ['lose', () => permitSourceCases(wrong({ create() {}, open() {}, loose() {} }))],
  'semaphore.wait': ['timeout', (t, name) => semaphore(t, name).wait(wrong({ timeuot: 5 }))],
  'semaphore.waitSync': ['timeout', (t, name) => semaphore(t, name).waitSync(wrong({ timeOut: 5 }))],
}

const onLimits: typeof misspelt = {
  'Limit.create': ['permits', (_, name) => Limit.create(name, wrong({ permit: 1 }))],
  'Limit.open': ['engine', (_, name) => Limit.open(name, wrong({ engin: 'sysv' }))],
  'Limit.openOrCreate': ['owner', (_, name) => Limit.openOrCreate(name, wrong({ permits: 1, owners: 1 }))],
  'Limit.unlink': ['engine', (_, name) => Limit.unlink(name, wrong({ egnine: 'sysv' }))],
  'limit.acquire': ['timeout', (t, name) => limit(t, name).acquire(wrong({ timeuot: 5 }))],
  'limit.acquireSync': ['timeout', (t, name) => limit(t, name).acquireSync(wrong({ tiemout: 5 }))],
  'limit.use': ['signal', (t, name) => limit(t, name).use(() => t.fail(), wrong({ singal: 5 }))],
  'limit.resize': ['timeout', (t, name) => limit(t, name).resize(2, wrong({ timout: 5 }))],
}

function semaphore(t: ExecutionContext, name: string): Semaphore {
  const made = Semaphore.create(name, { initial: 1 })
  t.teardown(() => made.close())
  return made
}

function limit(t: ExecutionContext, name: string): Limit {
  const made = Limit.create(name, { permits: 1 })
  t.teardown(() => made.close())
  return made
}

for (const [call, [meant, make]] of Object.entries(misspelt)) {
  test(`${call} throws at a misspelt option, and names the right one`, t => expectUnknown(t, meant, make))
}
for (const [call, [meant, make]] of Object.entries(onLimits)) {
  requires(inspection)(`${call} throws at a misspelt option, and names the right one`, t =>
    expectUnknown(t, meant, make),
  )
}

async function expectUnknown(
  t: ExecutionContext,
  meant: string,
  call: (typeof misspelt)[string][1],
): Promise<void> {
  const name = uniqueName(t)
  const error = await t.throwsAsync(async () => call(t, name), {
    instanceOf: TypeError,
    code: 'ERR_INVALID_ARG_VALUE',
  })
  t.regex(error.message, new RegExp(`^unknown option '\\w+': did you mean '${meant}'\\?$`))
}

test('an option of another call is named with those that the call has', t => {
  const name = uniqueName(t)
  t.throws(() => Semaphore.create(name, wrong({ permits: 1 })), {
    message: "unknown option 'permits': this call has initial, mode and backend",
  })
  t.throws(() => SharedMemory.open(name, wrong({ size: 1 })), {
    message: "unknown option 'size': this call has readOnly and owner",
  })
  t.throws(() => Semaphore.unlink(name, wrong({ ['x'.repeat(100)]: 1 })), {
    message: `unknown option '${'x'.repeat(40)}...': this call has backend`,
  })
})

test('a value in the place of the options is refused', async t => {
  const own = semaphore(t, uniqueName(t))
  for (const value of [5, 'a', true, null, [], [5], () => {}, Promise.resolve({ timeout: 5 }), new Map()]) {
    await t.throwsAsync(async () => own.wait(value as never), {
      instanceOf: TypeError,
      code: 'ERR_INVALID_ARG_TYPE',
      message: /^options must be an object with timeout and signal, received /,
    })
  }
  const { signal } = new AbortController()
  await t.throwsAsync(async () => own.wait(signal as never), {
    message: 'options must be { signal }, received an object',
  })
  t.is(own.value, 1)
})

test('options may have no prototype, inherit, or be a class of the program', async t => {
  const own = semaphore(t, uniqueName(t))
  class Patience {
    get timeout() {
      return 0
    }
  }
  await own.wait({ __proto__: null, timeout: 0 } as WaitOptions)
  for (const options of [{ __proto__: { timeout: 0 } }, new Patience()]) {
    await t.throwsAsync(own.wait(options as WaitOptions), { code: 'ETIMEDOUT' })
  }
})

test('an infinite timeout means none', async t => {
  const own = semaphore(t, uniqueName(t))
  const timeout = Number.POSITIVE_INFINITY
  own.waitSync({ timeout })
  const waiting = own.wait({ timeout })
  own.post()
  await waiting
  for (const refused of [Number.NaN, -1, Number.NEGATIVE_INFINITY]) {
    t.throws(() => own.waitSync({ timeout: refused }), { code: 'ERR_OUT_OF_RANGE' })
  }
})

test('new throws an error with the calls that make an object', t => {
  const constructors: readonly [object, RegExp][] = [
    [
      Semaphore,
      /^Semaphore has no .*: call Semaphore\.create\(id, \{ initial \}\), Semaphore\.open\(id\) or /,
    ],
    [Limit, /: call Limit\.create\(id, \{ permits \}\), Limit\.open\(id\) or Limit\.openOrCreate\(/],
    [SharedMemory, /: call SharedMemory\.create\(id, \{ size \}\), .* or SharedMemory\.attach\(shmid\)$/],
    [
      RedisLimit,
      /: call RedisLimit\.connect\(url, name, \{ permits \}\) or RedisLimit\.over\(client, name, /,
    ],
    [Permit, /^Permit has no .*: call limit\.acquire\(\), limit\.tryAcquire\(\) or limit\.acquireSync\(\)$/],
    [RedisPermit, /^RedisPermit has no .*: call limit\.acquire\(\) or limit\.tryAcquire\(\)$/],
    [Channel, /: call Channel\.create\(/],
  ]
  for (const [kind, message] of constructors) {
    t.throws(() => Reflect.construct(kind as typeof Semaphore, ['/x', { initial: 1 }]), {
      instanceOf: TypeError,
      code: 'ERR_ILLEGAL_CONSTRUCTOR',
      message,
    })
  }
})

// ---- detached methods

/** The names of a class's methods. */
function methodsOf(object: object): string[] {
  const described = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(object))
  const wordsOfLimits = object instanceof Semaphore ? ['acquire', 'tryAcquire', 'acquireSync', 'use'] : []
  return Object.keys(described).filter(
    name => typeof described[name]?.value === 'function' && !['constructor', ...wordsOfLimits].includes(name),
  )
}

async function expectDetached(t: ExecutionContext, noun: string, object: object): Promise<void> {
  const methods = methodsOf(object)
  t.true(methods.length > 0)
  for (const method of methods) {
    const { [method as never]: call } = object as Record<string, (...args: unknown[]) => unknown>
    for (const self of [undefined, {}, setTimeout(() => {}, 0), 5]) {
      await t.throwsAsync(
        async () => (call as unknown as () => unknown).apply(self as never, ['x', () => t.fail()] as never),
        {
          instanceOf: TypeError,
          code: 'ERR_INVALID_THIS',
          message: `${method}() was called without its ${noun}: call ${noun}.${method}(), or pass on (...args) => ${noun}.${method}(...args)`,
        },
        method,
      )
    }
  }
}

test('a method that was called without its semaphore throws an error with the right call', t =>
  expectDetached(t, 'semaphore', semaphore(t, uniqueName(t))))

test('a method that was called without its memory throws an error with the right call', t => {
  const memory = SharedMemory.create(uniqueName(t), { size: 8 })
  t.teardown(() => memory.close())
  return expectDetached(t, 'memory', memory)
})

test('a method that was called without its channel throws an error with the right call', t => {
  const channel = Channel.create(uniqueName(t), { capacity: 4096 })
  t.teardown(() => {
    channel.unlink()
    channel.close()
  })
  return expectDetached(t, 'channel', channel)
})

requires(inspection)('a method that was called without its limit or permit throws', async t => {
  const own = limit(t, uniqueName(t))
  await expectDetached(t, 'limit', own)
  const permit = own.tryAcquire() as Permit
  await expectDetached(t, 'permit', permit)
  t.false(permit.released)
  permit.release()
})

test('a method that was called without its locks throws', t => expectDetached(t, 'locks', locks))

test('a method of os-ipc/redis that was called without its limit throws', t =>
  expectDetached(t, 'limit', source(t)))

test('a method of os-ipc/postgres that was called without its locks throws', t => {
  const shared = PostgresLocks.connect(nowhere)
  t.teardown(() => shared.close())
  return expectDetached(t, 'locks', shared)
})

requires(inspection)('use with the options first throws an error with the right order', async t => {
  const own = limit(t, uniqueName(t))
  for (const source_ of [own, source(t)]) {
    await t.throwsAsync(
      source_.use(
        wrong({ timeout: 5 }),
        wrong(() => t.fail()),
      ),
      {
        code: 'ERR_INVALID_ARG_TYPE',
        message: 'fn must be a function: use(fn, options), received an object',
      },
    )
  }
  t.is(own.info().free, 1)
})
