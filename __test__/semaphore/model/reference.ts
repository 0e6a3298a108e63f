// The rules for names, sizes, modes and positions, written a second time.

import fc from 'fast-check'

/** A name that this package creates: 1 to 250 bytes of UTF-8 after the slash; no other slash, NUL or `..`. Memory is not `/.`. */
export function isName(kind: 'semaphore' | 'memory', text: string): boolean {
  const rest = text.replace(/^\//, '')
  return isForeignName(kind, text) && new TextEncoder().encode(rest).length <= 250 && !rest.includes('..')
}

/** A name that another program may have created. */
export function isForeignName(kind: 'semaphore' | 'memory', text: string): boolean {
  const rest = text.replace(/^\//, '')
  if (kind === 'memory' && (rest === '.' || rest === '..')) return false
  const bytes = new TextEncoder().encode(rest)
  return (
    new TextDecoder().decode(bytes) === rest.replace(/^\ufeff/, '') &&
    bytes.length >= 1 &&
    bytes.length <= 255 &&
    !/[/\0]/.test(rest)
  )
}

export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1
}

export function isMode(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 512
}

export function isPosition(value: unknown, size: number): value is number {
  // A position that is missing is 0.
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= size
}

/** Names of every kind: valid, long and hostile ones. */
export function anyName(): fc.Arbitrary<string> {
  const pieces = fc.constantFrom(
    '/',
    '.',
    '..',
    '\0',
    '\ud800',
    '\udc00',
    'é',
    '日本',
    '😀',
    'a',
    'sem.',
    ' ',
    '\n',
  )
  const made = fc
    .array(fc.oneof(pieces, fc.string({ unit: 'binary' })), { maxLength: 6 })
    .map(all => all.join(''))
  const long = fc
    .tuple(fc.constantFrom('a', 'é', '日', '😀'), fc.integer({ min: 60, max: 260 }))
    .map(([c, n]) => c.repeat(n))
  return fc
    .tuple(fc.constantFrom('', '/', '/os-ipc-none-'), fc.oneof(made, long))
    .map(parts => parts.join(''))
}

/** Numbers of every kind, and values that are not numbers. */
export function anyNumber(): fc.Arbitrary<unknown> {
  const edges = [
    0,
    -0,
    1,
    -1,
    0o777,
    0o1000,
    4095,
    4096,
    4097,
    32_767,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    2 ** 53 - 1,
    2 ** 53,
  ]
  return fc.oneof(
    fc.constantFrom<unknown>(
      ...edges,
      Number.NaN,
      Infinity,
      -Infinity,
      0.5,
      1e300,
      null,
      '1',
      1n,
      {},
      [],
      true,
    ),
    fc.integer({ min: 0, max: 5_000 }),
    fc.integer(),
    fc.double(),
  )
}
