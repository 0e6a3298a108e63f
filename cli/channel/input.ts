// The messages in standard input, in batches: all that came with one read.

import { Failure } from '../core/failure.js'

const NEWLINE = 10
const RETURN = 13
const LENGTH = 4

/** Messages that came together. */
type Batches = AsyncGenerator<Buffer[], void, void>

/** Lines without their line breaks; the last line needs none. */
export async function* lines(input: AsyncIterable<Buffer>): Batches {
  let parts: Buffer[] = []
  for await (const chunk of input) {
    const found: Buffer[] = []
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const rest = chunk.subarray(from, end)
      found.push(withoutReturn(parts.length === 0 ? rest : Buffer.concat([...parts, rest])))
      parts = []
      from = end + 1
    }
    if (from < chunk.length) parts.push(chunk.subarray(from))
    if (found.length > 0) yield found
  }
  if (parts.length > 0) yield [Buffer.concat(parts)]
}

/** Windows ends a line with two characters. */
function withoutReturn(line: Buffer): Buffer {
  return process.platform === 'win32' && line.at(-1) === RETURN ? line.subarray(0, -1) : line
}

/** Messages, each after its length in 4 bytes, the lowest byte first. */
export async function* frames(input: AsyncIterable<Buffer>): Batches {
  let parts: Buffer[] = []
  let has = 0
  let needs = LENGTH
  for await (const chunk of input) {
    parts.push(chunk)
    has += chunk.length
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
  }
  if (has > 0) {
    throw new Failure(
      `the input ends within a frame: ${has} bytes are left, and it needs ${needs}`,
      'the frames before it were sent',
    )
  }
}
