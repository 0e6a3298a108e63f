// The messages in standard input, in batches: all that came with one read.

import { Failure } from '../core/failure.js'

const NEWLINE = 10
const RETURN = 13
const LENGTH = 4

/** Messages that came together. */
type Batches = AsyncGenerator<Buffer[], void, void>

/**
 * Lines without their line breaks; the last line needs none. A line that cannot be a message, because it has more than `most`
 * bytes, is not read to its end.
 */
export async function* lines(input: AsyncIterable<Buffer>, most: number): Batches {
  let parts: Buffer[] = []
  let pending = 0
  for await (const chunk of input) {
    const found: Buffer[] = []
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const rest = chunk.subarray(from, end)
      found.push(withoutReturn(parts.length === 0 ? rest : Buffer.concat([...parts, rest])))
      parts = []
      pending = 0
      from = end + 1
    }
    if (from < chunk.length) parts.push(chunk.subarray(from))
    pending += chunk.length - from
    if (found.length > 0) yield found
    // Windows ends a line with two characters.
    if (pending > most + 1) throw tooLong('a line', most)
  }
  if (parts.length > 0) yield [Buffer.concat(parts)]
}

function tooLong(what: string, most: number): Failure {
  return new Failure(
    `${what} of the input has more than ${most} bytes: no message of this channel can be so long`,
    'the messages before it were sent',
  )
}

/** Windows ends a line with two characters. */
function withoutReturn(line: Buffer): Buffer {
  return process.platform === 'win32' && line.at(-1) === RETURN ? line.subarray(0, -1) : line
}

/** Messages of at most `most` bytes, each after its length in 4 bytes, the lowest byte first. */
export async function* frames(input: AsyncIterable<Buffer>, most: number): Batches {
  let parts: Buffer[] = []
  let has = 0
  let needs = LENGTH
  const isTooLong = () => Math.min(has, needs) > LENGTH + most
  for await (const chunk of input) {
    parts.push(chunk)
    has += chunk.length
    if (isTooLong()) throw tooLong('a frame', most)
    if (has < needs) continue
    let bytes = Buffer.concat(parts)
    const found: Buffer[] = []
    needs = LENGTH
    while (bytes.length >= LENGTH) {
      const end = LENGTH + bytes.readUInt32LE()
      if (bytes.length < end) {
        needs = end
        break
      }
      found.push(bytes.subarray(LENGTH, end))
      bytes = bytes.subarray(end)
    }
    parts = [bytes]
    has = bytes.length
    if (found.length > 0) yield found
    if (isTooLong()) throw tooLong('a frame', most)
  }
  if (has > 0) {
    throw new Failure(
      `the input ends within a frame: ${has} bytes are left, and it needs ${needs}`,
      'the frames before it were sent',
    )
  }
}
