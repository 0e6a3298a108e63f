// Parsers for the values of options: each throws an error that names the expected value.

import type { Valued } from './command.js'
import { usage } from './failure.js'

const MAX_SIZE = Number.MAX_SAFE_INTEGER

/** Parses seconds, or a number with its unit, to milliseconds: `5`, `0.5`, `500ms`, `2m`, `1h`. */
export function duration(text: string, option: string): number {
  const [, digits, unit = 's'] = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d)?$/.exec(text) ?? []
  if (digits === undefined)
    throw usage(`${option} needs seconds, not '${text}'`, 'for example 5, 0.5, 500ms, 2m')
  return Number(digits) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit as 'ms']
}

/** Bytes: `4096`, `0x1000`, `4k`, `16M`, `1GiB`; a k is 1024. */
export function bytes(text: string, option: string): number {
  const [, digits = '', unit = ''] = /^(0x[0-9a-f]+|\d+(?:\.\d+)?)(?:([kmgt])(?:i?b)?|b)?$/i.exec(text) ?? []
  const size = Number(digits) * 1024 ** ' kmgt'.indexOf(unit.toLowerCase() || ' ')
  if (digits === '' || !Number.isInteger(size) || size > MAX_SIZE) {
    throw usage(`${option} needs a number of bytes, not '${text}'`, 'for example 4096, 0x1000, 4k, 16M')
  }
  return size
}

/** An integer from `min` to `max`. */
export function integer(min: number, max: number): (text: string, option: string) => number {
  return (text, option) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (number >= min && number <= max) return number
    throw usage(`${option} needs a whole number from ${min} to ${max}, not '${text}'`)
  }
}

/** Permission bits in octal: `600`, `0660`, `0o660`. */
export function permissionBits(text: string, option: string): number {
  const [, digits] = /^(?:0o)?(0?[0-7]{3})$/.exec(text) ?? []
  if (digits !== undefined) return Number.parseInt(digits, 8)
  throw usage(`${option} needs permission bits in octal, not '${text}'`, 'for example 600 or 660')
}

/** The owner whose objects may be opened: a uid, or `any`. */
export function owner(text: string, option: string): number | 'any' {
  if (text === 'any') return 'any'
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw usage(`${option} needs a uid or 'any', not '${text}'`, 'id -u NAME prints the uid of a user')
}

// --- options that several commands have

export const JSON_OUTPUT = { help: 'Print JSON.' }

export const POSTGRES: Valued<string> = {
  value: 'URL',
  help: 'Use a lock of this PostgreSQL, which many machines share; env:NAME reads the address from a variable.',
  read: text => text,
}

export const OWNER: Valued<number | 'any'> = {
  value: 'UID',
  help: "Also accept an object of the user with this uid, or of 'any' user; without it only your own and root's.",
  complete: ['any'],
  read: owner,
}

export const MODE: Valued<number> = {
  value: 'OCTAL',
  help: 'The permission bits of a new object; default 600. The umask does not change them.',
  read: permissionBits,
}

export const POSIX = { help: 'Use the POSIX semaphore of this name (sem_open), not the System V semaphore.' }

export const TIMEOUT: Valued<number> = {
  value: 'S',
  short: 't',
  help: 'Give up after S seconds (also 500ms, 2m); 0 does not wait.',
  read: duration,
}
