// A named System V semaphore in the kernel: the set, word by word.

import { arrow, box, bracket, picture, text } from './svg.mjs'

const NAME = '/jobs'
const INITIAL = 4
const MARK = 0x4f01
const WORD_BITS = 15

const bytes = [...Buffer.from(NAME)]
const bits = bitsOf(NAME)

const hash = bytes.reduce((sum, byte) => Math.imul(sum ^ byte, 0x01000193), 0x811c9dc5) >>> 0
const key = `0x${hash.toString(16).padStart(8, '0')}`

const values = valuesOf(NAME, INITIAL)
const words = values.slice(3)

const CELL = 112
const LEFT = 44
const SET = 156
const at = index => LEFT + index * CELL
const WIDTH = 2 * LEFT + values.length * CELL
const BIT = 14
const STRIP = (WIDTH - words.length * WORD_BITS * BIT) / 2
const ROW = 306
const small = (x, y, line, anchor = 'middle') => text({ x, y, line, style: 'small', ink: 'soft', anchor })

export const kernelSet = picture({
  title: `What is in the kernel for the name ${NAME}`,
  description: `The name becomes the key ${key}. The set has ${values.length} semaphores: the counter (${INITIAL}), the mark 0x${MARK.toString(16)}, the length ${bytes.length}, and the name in words of ${WORD_BITS} bits: ${words.join(', ')}.`,
  width: WIDTH,
  height: 408,
  parts: [
    box({ x: LEFT, y: 28, width: 130, height: 40, lines: [`\`'${NAME}'`] }),
    arrow([LEFT + 130, 48], [LEFT + 252, 48]),
    small(LEFT + 190, 40, 'FNV-1a, 32 bits'),
    box({ x: LEFT + 252, y: 28, width: 150, height: 40, lines: [`\`key ${key}`] }),
    arrow([LEFT + 402, 48], [LEFT + 500, 48]),
    small(LEFT + 450, 40, 'semget(2)'),
    box({
      x: LEFT + 500,
      y: 28,
      width: 172,
      height: 40,
      kind: 'free',
      lines: [`a set of ${values.length} semaphores`],
    }),

    arrow([LEFT + 586, 68], [LEFT + 586, 96]),
    bracket({ from: at(0) + 4, to: at(1) - 4, y: 122 }),
    small(at(0) + CELL / 2, 114, 'all that a peer sees'),
    bracket({ from: at(1) + 4, to: at(values.length) - 4, y: 122 }),
    small(
      (at(1) + at(values.length)) / 2,
      114,
      'the record: the name is told, and two names with one key are an error',
    ),
    values.map((value, index) => [
      small(at(index) + CELL / 2, SET - 12, `semaphore ${index}`),
      box({
        x: at(index) + 3,
        y: SET,
        width: CELL - 6,
        height: 40,
        kind: index === 0 ? 'held' : index < 3 ? 'plain' : 'waiting',
        lines: [`\`${index === 1 ? `0x${value.toString(16)}` : value}`],
      }),
    ]),
    ['the counter', 'mark, version', 'bytes', 'name, word 1', 'word 2', 'word 3'].map((line, index) =>
      small(at(index) + CELL / 2, SET + 58, line),
    ),

    words.map((_, word) => {
      const from = STRIP + word * WORD_BITS * BIT
      const middle = from + (WORD_BITS * BIT) / 2
      return [
        bracket({ from: from + 3, to: from + WORD_BITS * BIT - 3, y: ROW - 34 }),
        small(middle, ROW - 42, `word ${word + 1}: ${words[word]}`),
      ]
    }),
    Array.from({ length: words.length * WORD_BITS }, (_, index) => {
      const x = STRIP + index * BIT
      const byte = Math.floor(index / 8)
      const kind = byte >= bytes.length ? 'plain' : byte % 2 ? 'held' : 'free'
      return [
        `<rect class="box ${kind}" x="${x}" y="${ROW - 20}" width="${BIT}" height="24"/>`,
        text({ x: x + BIT / 2, y: ROW - 4, line: bits[index] ?? '0', style: 'code', anchor: 'middle' }),
      ]
    }),
    bytes.map((byte, index) => [
      bracket({
        from: STRIP + index * 8 * BIT + 3,
        to: STRIP + (index + 1) * 8 * BIT - 3,
        y: ROW + 18,
        up: true,
      }),
      text({
        x: STRIP + (index + 0.5) * 8 * BIT,
        y: ROW + 38,
        line: `'${String.fromCharCode(byte)}' = 0x${byte.toString(16)}`,
        style: 'code',
        anchor: 'middle',
      }),
    ]),
    small(STRIP + (bits.length + words.length * WORD_BITS) * (BIT / 2), ROW + 38, 'zeros'),
    small(
      WIDTH / 2,
      ROW + 82,
      'The set of a limit has another mark, and behind the name the number of permits and who holds them.',
    ),
  ],
})

/** The values of the set of a name, as `semctl(GETALL)` reads them. */
export function valuesOf(name, counter) {
  const words = bitsOf(name).match(/.{1,15}/g)
  return [
    counter,
    MARK,
    Buffer.byteLength(name),
    ...words.map(word => Number.parseInt(word.padEnd(WORD_BITS, '0'), 2)),
  ]
}

function bitsOf(name) {
  return [...Buffer.from(name)].map(byte => byte.toString(2).padStart(8, '0')).join('')
}
