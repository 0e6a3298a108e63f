import { command, type Library } from '../core/command.js'
import { EXIT } from '../core/exit.js'
import { Failure, usage } from '../core/failure.js'
import { hexKey } from '../core/format.js'
import { keyOf } from '../core/key.js'
import { paint, print, printJson } from '../core/output.js'
import { channelSubject } from '../core/open.js'
import { libraryId, target } from '../core/target.js'
import { JSON_OUTPUT } from '../core/values.js'
import { type Lines, memoryLines, posixLines, setLines } from '../key/languages.js'

export default command({
  name: 'key',
  operands: [{ name: 'NAME', help: 'a name, or a System V key', complete: 'object' }],
  options: {
    memory: { short: 'm', help: 'Print code for the memory with this name or key, not for the semaphore.' },
    posix: { help: 'Print code for the POSIX semaphore with this name.' },
    channel: {
      short: 'c',
      help: 'Print the objects that the channel with this name consists of. The channel must exist.',
    },
    json: JSON_OUTPUT,
  },
  description: [
    'Prints the System V key of a name, in hex (as ipcs shows it) and in decimal, and code in C, Go and Python that opens the same object. ' +
      'It only computes: the object need not exist.',
    'The key of a semaphore or a limit is FNV-1a 32 over its name with the slash. Memory with a name is POSIX memory, and has no key.',
    'A channel consists of memory and two semaphores. The names of the semaphores are new for each channel that is created, so they are read from the channel. docs/interop.md describes the layout of its memory.',
  ],
  examples: [
    ['os-ipc key jobs', 'the key, and code that opens the semaphore or the limit'],
    ['ipcrm -S $(os-ipc key jobs --json | jq -r .hex)', 'use the key with another tool'],
    ['os-ipc key frames --memory', 'code for memory with a name'],
    ['os-ipc key tasks --channel', 'the memory and the semaphores of a channel'],
  ],
  exits: [
    ['0', 'done'],
    ['2', 'the command line is wrong, or no object can have this name'],
    ['3', 'the channel of --channel does not exist'],
  ],
  run({ ipc, options, operands: [text = ''] }) {
    if ([options.memory, options.posix, options.channel].filter(Boolean).length > 1)
      throw usage('key takes only one of --memory, --posix and --channel')
    if (process.platform === 'win32')
      throw new Failure(
        'objects of Windows have no key',
        'docs/platforms.md says how other programs open memory',
      )
    if (options.channel) return printChannel(ipc, text, options.json)
    const meant = target(text)
    if (meant.type === 'id') throw usage('the id of a segment has no key')
    if (meant.key === 0)
      throw usage(`the key of ${meant.label} would be 0, which is reserved`, 'choose another name')
    if (meant.type === 'name') checkName(meant.name)
    else if (options.posix) throw usage('a POSIX semaphore has a name, not a key')
    const keyed = !options.posix && (meant.type === 'key' || !options.memory)
    const name = meant.type === 'name' ? meant.name : undefined
    const lines = linesFor(name, meant.key, options)
    const numbers = { hex: hexKey(meant.key), decimal: meant.key, unsigned: meant.key >>> 0 }
    if (options.json) {
      printJson({
        name: name ?? null,
        ...(keyed ? numbers : { hex: null, decimal: null, unsigned: null }),
        ...lines,
      })
      return EXIT.ok
    }
    if (keyed)
      print(`${numbers.hex}  ${numbers.decimal}${meant.key < 0 ? `  (unsigned ${numbers.unsigned})` : ''}`)
    for (const [language, code] of [
      ['C', lines.c],
      ['Go', lines.go],
      ['Python', lines.python],
    ] as const) {
      print('')
      print(paint('bold', language))
      for (const line of code) print(`  ${line}`)
    }
    return EXIT.ok
  },
})

/** The objects of a channel, with the keys of its semaphores where these are System V sets. */
function printChannel(ipc: Library, text: string, json: boolean): number {
  const subject = channelSubject(text)
  const name = `${libraryId(subject.target)}`
  const found = ipc.list().channels.find(channel => channel.name === name)
  if (found === undefined) {
    const { label } = subject.target
    const cure = `os-ipc create ${label} --capacity BYTES makes it`
    throw new Failure(`there is no channel ${label}`, cure, EXIT.absent)
  }
  const { memory, receivers, senders } = found.objects
  const keyed = ipc.capabilities.defaultBackend === 'sysv'
  const semaphore = (object: string) => {
    const key = keyOf(object)
    return { name: object, ...(keyed ? { hex: hexKey(key), decimal: key, unsigned: key >>> 0 } : {}) }
  }
  const parts = { memory: { name: memory }, receivers: semaphore(receivers), senders: semaphore(senders) }
  if (json) {
    printJson({ name, ...parts })
    return EXIT.ok
  }
  for (const [role, { name: object, ...numbers }] of Object.entries(parts)) {
    print([role.padEnd('receivers'.length), object, ...Object.values(numbers).slice(0, 2)].join('  '))
  }
  return EXIT.ok
}

function linesFor(
  name: string | undefined,
  key: number,
  options: { readonly memory: boolean; readonly posix: boolean },
): Lines {
  if (options.memory) return memoryLines(name, key)
  return options.posix && name !== undefined ? posixLines(name) : setLines(key)
}

/** The checks that the library makes when it opens an object. */
function checkName(name: string): void {
  const rest = name.slice(1)
  if (
    rest === '' ||
    rest.includes('/') ||
    rest.includes('..') ||
    rest.includes('\0') ||
    Buffer.byteLength(rest) > 250
  ) {
    throw usage(
      `no object can be called '${name}'`,
      'a name has 1 to 250 bytes after its slash, no other slash and no ..',
    )
  }
}
