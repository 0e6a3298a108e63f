// The files in which Unix tells about itself: /proc, /dev and /etc.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/**
 * Whether the system has such files. On Windows `/proc` would be a folder of the current drive, which any user may make, so
 * nothing there may be read.
 */
export const hasSystemFiles = process.platform !== 'win32'

/** The bytes of a file of the system; undefined when it cannot be read. */
export function bytes(path: string): Buffer | undefined {
  if (!hasSystemFiles) return undefined
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** The trimmed text of a file of the system; undefined when it cannot be read. */
export function text(path: string): string | undefined {
  return bytes(path)?.toString().trim()
}

/** The target of a link of the system; undefined when it cannot be read. */
export function linkOf(path: string): string | undefined {
  if (!hasSystemFiles) return undefined
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** The names in a folder of the system; undefined when it cannot be read. */
export function namesIn(folder: string): string[] | undefined {
  if (!hasSystemFiles) return undefined
  try {
    return readdirSync(folder)
  } catch {
    return undefined
  }
}

/** The numbers in a file, as in /proc/sys. */
export function numbers(path: string): number[] | undefined {
  return text(path)?.split(/\s+/).map(Number)
}

/** The rows of a table with titles, as in /proc/sysvipc; a row maps each title to its cell. */
export function rows(path: string): Record<string, string>[] | undefined {
  const [titles, ...lines] = text(path)?.split('\n') ?? []
  const names = titles?.trim().split(/\s+/)
  return (
    names &&
    lines.map(line =>
      Object.fromEntries(
        line
          .trim()
          .split(/\s+/)
          .map((cell, at) => [names[at], cell]),
      ),
    )
  )
}

/** The files of a folder with an ending, in the order of their names. */
export function filesIn(folder: string, ending: string): string[] {
  return (namesIn(folder) ?? [])
    .filter(file => file.endsWith(ending))
    .sort()
    .map(file => `${folder}/${file}`)
}
