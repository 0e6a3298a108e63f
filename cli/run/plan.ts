import type { Word } from '../core/words.js'

/** What to start: a program with arguments and an environment, all of them texts, as Node takes them. */
export interface Plan {
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/**
 * How a command is started with just these words and this environment, and with these signals ignored.
 *
 * Node starts a program with texts only, and with no signal ignored. What it cannot do, a shell does: it has the same
 * pid, and is replaced by the command. env(1) is between them, since a shell drops variables whose names it could not have.
 */
export function planFor(
  command: readonly Word[],
  environment: readonly Word[],
  ignored: readonly number[],
): Plan {
  const [program = '', ...args] = command
  if (ignored.length === 0 && [...command, ...environment].every(word => typeof word === 'string')) {
    const texts = environment as readonly string[]
    return {
      program: program as string,
      args: args as string[],
      env: Object.fromEntries(
        texts.map(text => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
      ),
    }
  }
  // env(1) would take a program with an = in its name for a variable.
  const before = Buffer.from(program as string).includes('=') ? ['nice', '-n', '0'] : []
  const words = [...environment, ...before, ...command]
  const texts = words.filter(word => typeof word === 'string')
  return { program: '/bin/sh', args: ['-c', script(words, ignored), 'os-ipc', ...texts], env: {} }
}

/** Lines of a shell that run env(1) with these words; the texts among them are the shell's arguments. */
function script(words: readonly Word[], ignored: readonly number[]): string {
  const lines = ignored.length > 0 ? [`trap '' ${ignored.join(' ')}`] : []
  let texts = 0
  const references = words.map((word, at) => {
    if (typeof word === 'string') return `"\${${++texts}}"`
    // A shell takes line breaks from the end of what printf writes: an x stands there.
    lines.push(`w${at}=$(printf '${octal(word)}x')`, `w${at}=\${w${at}%x}`)
    return `"$w${at}"`
  })
  const all = texts === words.length ? '"$@"' : references.join(' ')
  return [...lines, `exec /usr/bin/env -i -- ${all}`].join('\n')
}

function octal(bytes: Buffer): string {
  return Array.from(bytes, byte => `\\${byte.toString(8).padStart(3, '0')}`).join('')
}
