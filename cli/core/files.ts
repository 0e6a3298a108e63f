import { readdirSync, readFileSync } from 'node:fs'

/** The trimmed text of a file; undefined when it cannot be read. */
export function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
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
  try {
    return readdirSync(folder)
      .filter(file => file.endsWith(ending))
      .sort()
      .map(file => `${folder}/${file}`)
  } catch {
    return []
  }
}
