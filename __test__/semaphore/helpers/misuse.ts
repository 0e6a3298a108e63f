// Invalid arguments of every call, and the error of each.

import { Semaphore } from '../../../index.js'
import { backends } from '../../shared/backends.ts'

export interface Misuse {
  what: string
  /** Throws or rejects. */
  use(semaphore: Semaphore): unknown
  error: 'TypeError' | 'RangeError'
  code: 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE' | 'ERR_OUT_OF_RANGE'
}

const type = { error: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' } as const
const value = { error: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' } as const
const range = { error: 'RangeError', code: 'ERR_OUT_OF_RANGE' } as const

/** The backend whose semaphores have names and no keys. */
const NAMED = backends.at(-1)

/** A name of too many bytes. Windows counts UTF-16 units. */
const TOO_LONG = process.platform === 'win32' ? [] : ['é'.repeat(126)]

const noNumbers = [null, '1', 1n, true, {}, [1], Symbol('1'), () => 1]
const noIntegers = [
  Number.NaN,
  0.5,
  1.5,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 53,
  2 ** 64,
]

function wrong(what: string, values: readonly unknown[], error: Pick<Misuse, 'error' | 'code'>, use: Use) {
  return values.map(
    (given): Misuse => ({ what: `${what}: ${shown(given)}`, use: s => use(given as never, s), ...error }),
  )
}

// `never` is what every parameter takes.
type Use = (given: never, semaphore: Semaphore) => unknown

function shown(given: unknown): string {
  if (typeof given === 'string')
    return given.length > 60 ? `${given.length} characters` : JSON.stringify(given)
  if (typeof given === 'object' && given !== null) return JSON.stringify(given)
  return typeof given === 'bigint' ? `${given}n` : String(given)
}

/** Every call that opens takes the same ids and options. */
const waysIn: readonly [string, (id: never, options: object) => unknown][] = [
  ['create', (id, options) => Semaphore.create(id, { initial: 1, ...options })],
  ['open', (id, options) => Semaphore.open(id, options)],
  ['openOrCreate', (id, options) => Semaphore.openOrCreate(id, { initial: 1, ...options })],
  ['unlink', (id, options) => Semaphore.unlink(id, options)],
]

const waits: readonly [string, (semaphore: Semaphore, options: never) => unknown][] = [
  ['wait', (semaphore, options) => semaphore.wait(options)],
]

/** The calls that open or remove names that another program may have made. */
const NOT_MADE = ['..', '/..', '/a..b', 'x'.repeat(251), `/${'x'.repeat(251)}`, 'é'.repeat(126)]

/** The calls that take an owner. */
const openings = [
  function open(owner: never) {
    return Semaphore.open('/x', { owner })
  },
  function openOrCreate(owner: never) {
    return Semaphore.openOrCreate('/x', { initial: 1, owner })
  },
]

export const misuses: readonly Misuse[] = [
  ...waysIn.flatMap(([way, act]) => [
    ...wrong(`${way}, id`, [undefined, ...noNumbers.filter(id => id !== '1')], type, id => act(id, {})),
    ...wrong(`${way}, key`, [...noIntegers, 2 ** 32, 2 ** 32 + 1, -(2 ** 31) - 1, -(2 ** 53)], range, id =>
      act(id, {}),
    ),
    ...wrong(
      `${way}, name`,
      [
        ...['', '/', '//', 'a/b', '/a/b', '/a/', '//a', '../a', 'a\0b', '\0', '/\0'],
        ...['\ud800', 'a\udc00b', '/\udfff\ud800', 'x'.repeat(256), 'x'.repeat(300), 'x'.repeat(100_000)],
        // Another program may have made it.
        ...(/reate$/.test(way) ? NOT_MADE : []),
      ],
      value,
      id => act(id, {}),
    ),
    ...wrong(`${way}, name (${NAMED})`, ['', '/a/b', 'a\0', '\ud800', ...TOO_LONG], value, id =>
      act(id, { backend: NAMED }),
    ),
    ...wrong(`${way}, backend`, [null, 1, {}, Symbol('sysv'), true], type, backend =>
      act('/x' as never, { backend }),
    ),
    ...wrong(`${way}, backend`, ['', 'SYSV', 'system v', 'futex'], value, backend =>
      act('/x' as never, { backend }),
    ),
    ...wrong(`${way}, backend of a key`, ['posix'], value, backend => act(7 as never, { backend })),
  ]),
  ...wrong('create, options', [undefined, null, 1, 'sysv', Symbol('o'), {}], type, options =>
    Semaphore.create('/x', options),
  ),
  ...wrong('open, options', [null, 1, 'sysv', 1n], type, options => Semaphore.open('/x', options)),
  ...wrong('openOrCreate, options', [undefined, null, 1, {}], type, options =>
    Semaphore.openOrCreate('/x', options),
  ),
  ...wrong('unlink, options', [null, 1, 'posix', false], type, options => Semaphore.unlink('/x', options)),
  ...[Semaphore.create, Semaphore.openOrCreate].flatMap(make => [
    ...wrong(`${make.name}, initial`, [undefined, ...noNumbers], type, initial => make('/x', { initial })),
    ...wrong(
      `${make.name}, initial`,
      [...noIntegers, -1, 32_768, 65_536, 65_537, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32],
      range,
      initial => make('/x', { initial }),
    ),
    ...wrong(`${make.name}, mode`, noNumbers, type, mode => make('/x', { initial: 1, mode })),
    ...wrong(`${make.name}, mode`, [...noIntegers, -1, 0o1000, 0o1777, 2 ** 31, 2 ** 32], range, mode =>
      make('/x', { initial: 1, mode }),
    ),
  ]),
  ...openings.flatMap(open => [
    ...wrong(
      `${open.name}, owner`,
      noNumbers.filter(owner => owner !== '1'),
      type,
      owner => open(owner),
    ),
    ...wrong(`${open.name}, owner`, [...noIntegers, -1, 2 ** 32], range, owner => open(owner)),
    ...wrong(`${open.name}, owner`, ['root', '0', ''], type, owner => open(owner)),
  ]),
  ...wrong('post, count', noNumbers, type, (count, semaphore) => semaphore.post(count)),
  ...wrong('post, count', [...noIntegers, 0, -1, 2 ** 31, 2 ** 32, 2 ** 32 + 1], range, (count, semaphore) =>
    semaphore.post(count),
  ),
  ...wrong('post, count beyond the limit', [1, 32_769, 32_770], range, (count, semaphore) =>
    semaphore.post((semaphore.backend === 'posix' ? 2 ** 31 - 1 : 32_767) + count),
  ),
  ...waits.flatMap(([way, act]) => [
    ...wrong(`${way}, options`, [null, 1, 'soon', Symbol('o')], type, (options, s) => act(s, options)),
    ...wrong(`${way}, timeout`, noNumbers, type, (timeout, s) => act(s, { timeout } as never)),
    ...wrong(
      `${way}, timeout`,
      [Number.NaN, Number.NEGATIVE_INFINITY, -1, -0.001, -(2 ** 53)],
      range,
      (timeout, s) => act(s, { timeout } as never),
    ),
    ...wrong(
      `${way}, signal`,
      [null, true, {}, 'abort', new AbortController(), new EventTarget()],
      type,
      (signal, s) => act(s, { signal } as never),
    ),
  ]),
  ...wrong('waitSync, options', [null, 1, 'soon'], type, (options, s) => s.waitSync(options)),
  ...wrong('waitSync, timeout', noNumbers, type, (timeout, s) => s.waitSync({ timeout })),
  ...wrong('waitSync, timeout', [Number.NaN, Number.NEGATIVE_INFINITY, -1], range, (timeout, s) =>
    s.waitSync({ timeout }),
  ),
]

/** Returns `undefined` where the error is the right one, else what is wrong with it. */
export async function complaint({ what, use, error, code }: Misuse, semaphore: Semaphore) {
  const asynchronous = /^wait,/.test(what)
  let result: unknown
  try {
    result = use(semaphore)
  } catch (thrown) {
    if (asynchronous) return `${what}: thrown, not rejected`
    return judge(thrown)
  }
  if (!asynchronous) return `${what}: returned`
  return (result as Promise<unknown>).then(() => `${what}: fulfilled`, judge)

  function judge(caught: unknown): string | undefined {
    const { name, code: actual, message } = caught as NodeJS.ErrnoException
    if (name === error && actual === code && message.length < 400) return undefined
    return `${what}: ${name} ${actual}: ${message}`
  }
}
