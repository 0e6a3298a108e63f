import type { SharedMemory } from '../../index.js'
import { command, type Library } from '../core/command.js'
import { COMMON_EXITS } from '../core/exit.js'
import { about, type Subject } from '../core/explain.js'
import { Failure, usage } from '../core/failure.js'
import { checkKept } from '../core/kept.js'
import { standardInput } from '../core/input.js'
import { memorySubject, openMemory } from '../core/open.js'
import { libraryId } from '../core/target.js'
import { bytes, MODE, OWNER } from '../core/values.js'

export default command({
  name: 'write',
  operands: [
    { name: 'NAME', help: 'memory: a name, a System V key, or id:N', complete: 'memory' },
    { name: 'TEXT', help: 'the text to write, as UTF-8; default: standard input', optional: true },
  ],
  options: {
    offset: { short: 'o', value: 'BYTES', help: 'The position of the first byte; default 0.', read: bytes },
    clear: { help: 'Fill the memory with zeros first.' },
    create: {
      help: 'Create the memory if it does not exist, with --size bytes, or with the size of the input.',
    },
    size: { short: 's', value: 'BYTES', help: 'The size of the memory that --create creates.', read: bytes },
    mode: MODE,
    owner: OWNER,
  },
  description: [
    'Copies standard input to shared memory. If the input does not fit, write fails, writes nothing and creates nothing.',
    'The bytes behind the input stay unchanged, unless --clear is given.',
  ],
  examples: [
    ['os-ipc write config --create --size 4k "some text"', 'create it if it does not exist'],
    ['os-ipc write frames < frames.bin', 'a file'],
    ['os-ipc write flags --offset 8 on', 'two bytes'],
  ],
  exits: COMMON_EXITS,
  async run({ ipc, options, operands: [name = '', text] }) {
    const { offset = 0, size, mode, owner } = options
    if (size !== undefined && !options.create)
      throw usage('--size needs --create', 'memory keeps the size that it was created with')
    const subject = memorySubject(name)
    // Opens before it reads the input, so that a mistyped name is an error at once.
    let memory = options.create && size === undefined ? undefined : open(ipc, subject, size, options)
    try {
      const data = text === undefined ? await input(memory && memory.size - offset) : Buffer.from(text)
      memory ??= open(ipc, subject, Math.max(1, offset + data.length), { mode, owner })
      if (offset + data.length > memory.size) {
        const room = Math.max(0, memory.size - offset)
        throw new Failure(
          `the input does not fit: ${subject.target.label} has ${memory.size} bytes, ${room} of them from ${offset} on`,
          'nothing was written',
        )
      }
      const target = memory
      about(ipc, subject, () => {
        if (options.clear) target.clear()
        target.write(data, offset)
      })
    } catch (error) {
      if (memory?.created) memory.unlink()
      throw error
    } finally {
      memory?.close()
    }
    return undefined
  },
})

/** Opens the memory; with a size, makes it when it is missing. */
function open(
  ipc: Library,
  subject: Subject,
  size: number | undefined,
  { mode, owner }: { mode: number | undefined; owner: number | 'any' | undefined },
): SharedMemory {
  if (size === undefined) return openMemory(ipc, subject, { owner })
  const id = libraryId(subject.target)
  // Existing memory may be smaller than the size for new memory, if the input fits.
  return about(ipc, subject, () => {
    try {
      return ipc.SharedMemory.open(id, { owner })
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') throw error
      const memory = ipc.SharedMemory.openOrCreate(id, { size, mode, owner })
      checkKept(ipc, memory, subject)
      return memory
    }
  })
}

/** Reads standard input to its end, or to one byte more than fits. */
async function input(room = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of standardInput()) {
    chunks.push(chunk)
    length += chunk.length
    if (length > room) break
  }
  return Buffer.concat(chunks)
}
