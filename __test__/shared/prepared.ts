import { readFileSync } from 'node:fs'

/** A program that a script has prepared: its command line, or the reason why it is missing. */
export interface Prepared {
  command?: readonly string[]
  missing?: string
}

/** The result of `scripts/test/peers.mjs`. */
export function prepared(name: 'python' | 'c' | 'go' | 'numpy'): Prepared {
  if (process.platform === 'win32') return { missing: 'the peers are programs for Linux' }
  const missing = { missing: 'npm run peers' }
  try {
    const file = new URL('../../.cache/peers/peers.json', import.meta.url)
    return JSON.parse(readFileSync(file, 'utf8'))[name] ?? missing
  } catch {
    return missing
  }
}
