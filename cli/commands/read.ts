import { command } from '../core/command.js'
import { COMMON_EXITS } from '../core/exit.js'
import { about } from '../core/explain.js'
import { Failure, usage } from '../core/failure.js'
import { memorySubject, openMemory } from '../core/open.js'
import { writeAll } from '../core/output.js'
import { TerminalText } from '../core/terminal-text.js'
import { bytes, OWNER } from '../core/values.js'

/** The number of bytes copied at a time, so that memory of any size goes through a pipe. */
const PIECE = 1 << 20

export default command({
  name: 'read',
  operands: [{ name: 'NAME', help: 'memory: a name, a System V key, or id:N', complete: 'memory' }],
  options: {
    offset: { short: 'o', value: 'BYTES', help: 'The position of the first byte; default 0.', read: bytes },
    length: {
      short: 'l',
      value: 'BYTES',
      help: 'The number of bytes; default: all bytes from the position on.',
      read: bytes,
    },
    owner: OWNER,
  },
  description: [
    'Copies shared memory to standard output, byte for byte. os-ipc show prints a hex dump.',
    'A pipe or a file gets every byte. On a terminal, bytes that are not text are an error, because they could change the state of the terminal.',
    'Other processes may write during the copy. Guard the memory with a lock if that matters.',
  ],
  examples: [
    ['os-ipc create frames --size 8k && os-ipc read frames > frames.bin', 'everything'],
    ['os-ipc read frames --offset 4k --length 16 | xxd', '16 bytes'],
  ],
  exits: COMMON_EXITS,
  async run({ ipc, options, operands: [name = ''] }) {
    const subject = memorySubject(name)
    const memory = openMemory(ipc, subject, { readOnly: true, owner: options.owner })
    const { offset = 0 } = options
    const { length = memory.size - offset } = options
    const { label } = subject.target
    if (offset > memory.size) throw usage(`${label} has ${memory.size} bytes: it ends before ${offset}`)
    if (offset + length > memory.size) {
      throw usage(`${label} has ${memory.size} bytes: there are no ${length} from ${offset} on`)
    }
    const text = new TerminalText()
    for (let at = offset; at < offset + length; at += PIECE) {
      const piece = Math.min(PIECE, offset + length - at)
      const data = about(ipc, subject, () => memory.toBuffer(at, piece))
      if (process.stdout.isTTY && !text.accepts(data)) throw binary(label)
      await writeAll(data)
    }
    memory.close()
    return undefined
  },
})

function binary(label: string): Failure {
  return new Failure(
    `${label} has bytes that a terminal would act upon`,
    `os-ipc show ${label} dumps it, and os-ipc read ${label} | cat writes it as it is`,
  )
}
