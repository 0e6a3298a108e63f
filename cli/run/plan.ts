import type { Word } from '../core/words.js'

/** A program to start, with arguments and an environment, all of them texts as Node takes them. */
export interface Plan {
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** On Windows: the arguments are parts of one line, and stay as they are. */
  readonly verbatim?: boolean
}

/**
 * Plans the start of a command with exactly these words, this environment, and these signals ignored.
 *
 * Node starts a program with texts only, and with no signal ignored. A shell does the rest: it has the same
 * pid, and is replaced by the command. env(1) runs between them, since a shell drops variables whose names are invalid for it.
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
    // A shell strips line breaks from the end of the output of printf, so an x marks the end.
    lines.push(`w${at}=$(printf '${octal(word)}x')`, `w${at}=\${w${at}%x}`)
    return `"$w${at}"`
  })
  const all = texts === words.length ? '"$@"' : references.join(' ')
  return [...lines, `exec /usr/bin/env -i -- ${all}`].join('\n')
}

function octal(bytes: Buffer): string {
  return Array.from(bytes, byte => `\\${byte.toString(8).padStart(3, '0')}`).join('')
}
