// Arguments and environment as bytes, because Node decodes both as UTF-8 and alters other bytes.

import { isUtf8 } from 'node:buffer'

import { bytes } from './files.js'
import { usage } from './failure.js'
import { printable } from './text.js'

/** An argument, or an assignment of the environment: a text, or bytes that are not UTF-8. */
export type Word = string | Buffer

/** The character that Node puts in place of bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd'

/** Turns bytes into a text when they are UTF-8, and keeps them otherwise. */
export function word(bytes: Buffer): Word {
  return isUtf8(bytes) ? bytes.toString() : bytes
}

/** A word as readable text. */
export function shown(word: Word): string {
  return printable(word.toString())
}

/** The bytes of a word, one character each, which can be searched, cut, and joined again by {@link bytesOf}. */
export function binary(word: Word): string {
  return Buffer.from(word as string).toString('latin1')
}

export function bytesOf(binary: string): Buffer {
  return Buffer.from(binary, 'latin1')
}

/** Strings as C keeps them one after the other, each ended by a zero. */
export function zeroEnded(data: Buffer): Buffer[] {
  const text = data.toString('latin1')
  return text === '' ? [] : text.replace(/\0$/, '').split('\0').map(bytesOf)
}

/**
 * The last arguments of this process, as they were given.
 *
 * @throws {Failure} When Node may have altered an argument, and the system does not give the original.
 */
export function exactArguments(args: readonly string[]): Word[] {
  if (!args.some(arg => arg.includes(REPLACEMENT))) return [...args]
  const given = commandLine()?.slice(-args.length).map(word)
  return args.map((arg, at) => {
    if (!arg.includes(REPLACEMENT)) return arg
    const exact = given?.[at]
    if (exact?.toString() === arg) return exact
    throw usage(`the argument '${printable(arg)}' is not UTF-8`, 'this system does not give its bytes')
  })
}

function commandLine(): Buffer[] | undefined {
  const line = bytes('/proc/self/cmdline')
  return line && zeroEnded(line)
}

/** Names and options are texts: other bytes would become another name. */
export function texts(words: readonly Word[]): void {
  const altered = words.find(word => typeof word !== 'string')
  if (altered !== undefined)
    throw usage(`the argument '${shown(altered)}' is not UTF-8`, 'os-ipc takes names and options in UTF-8')
}

/** Whether Node may have altered a variable of the environment. */
export function isAltered([name, value = '']: readonly [string, string | undefined]): boolean {
  return name.includes(REPLACEMENT) || value.includes(REPLACEMENT)
}
