// The core asks the operating system in `sys` alone. Above it no source names a system, its C library or its files.

import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

import test from 'ava'

const core = fileURLToPath(new URL('../../crates/os-ipc/src', import.meta.url))

/** The lines of the core's sources that `pattern` is in, as `file:line`. */
function found(pattern: RegExp, isSys: boolean): string[] {
  const files = readdirSync(core, { recursive: true, encoding: 'utf8' }).filter(
    file => file.endsWith('.rs') && file.startsWith(`sys${sep}`) === isSys,
  )
  return files.flatMap(file => {
    const lines = readFileSync(join(core, file), 'utf8').split('\n')
    return lines.flatMap((line, index) =>
      pattern.test(line.replace(/\/\/.*/, '')) ? [`${file}:${index + 1}`] : [],
    )
  })
}

const SEAMS: [what: string, pattern: RegExp][] = [
  ['C library', /\b(?:nix|libc)::/],
  ['operating system', /\btarget_os\b/],
  ['traits of Unix', /\bos::(?:unix|fd|linux|macos)\b/],
  ["file's metadata", /\bMetadata\b|symlink_metadata|\.metadata\(\)/],
  // A text with a space in it is a message.
  ['path of the system', /"\/(?:proc|dev\/shm)[^" ]*"/],
]

for (const [what, pattern] of SEAMS) {
  test(`no source of the core above sys names a ${what}`, t => {
    t.deepEqual(found(pattern, false), [])
    t.not(found(pattern, true).length, 0, 'sys names it, so the pattern must find it there')
  })
}
