// Reads the headers of a shared library of macOS: Mach-O, 64 bits, little-endian (mach-o/loader.h, cs_blobs.h).

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface DynamicLibrary {
  machine: 'x86-64' | 'arm64' | number
  /** The library's own name: LC_ID_DYLIB. */
  id: string
  /** The libraries that the loader brings in. */
  needed: string[]
  exported: string[]
  imported: string[]
  /** The oldest macOS, as `11.0`. */
  minimum: string
  /** Whether every page has the hash in the code signature; undefined without a signature. */
  signed: boolean | undefined
}

const MACHINES: Record<number, DynamicLibrary['machine']> = { 16777223: 'x86-64', 16777228: 'arm64' }
const COMMANDS = { symtab: 0x2, loadDylib: 0xc, idDylib: 0xd, signature: 0x1d, versionMin: 0x24, build: 0x32 }
const CODE_DIRECTORY = 0xfade0c02

export function readMachO(path: string): DynamicLibrary {
  const file = readFileSync(path)
  if (file.readUInt32LE(0) !== 0xfeedfacf) throw new Error(`${path}: no Mach-O of 64 bits`)
  const machine = file.readUInt32LE(4)
  const library: DynamicLibrary = {
    machine: MACHINES[machine] ?? machine,
    id: '',
    needed: [],
    exported: [],
    imported: [],
    minimum: '',
    signed: undefined,
  }
  let at = 32
  for (let left = file.readUInt32LE(16); left > 0; left--) {
    const word = (index: number): number => file.readUInt32LE(at + 4 * index)
    switch (word(0)) {
      case COMMANDS.idDylib:
        library.id = textAt(file, at + word(2))
        break
      case COMMANDS.loadDylib:
        library.needed.push(textAt(file, at + word(2)))
        break
      case COMMANDS.versionMin:
        library.minimum = version(word(2))
        break
      case COMMANDS.build:
        library.minimum = version(word(3))
        break
      case COMMANDS.symtab:
        readSymbols(file, word(2), word(3), word(4), library)
        break
      case COMMANDS.signature:
        library.signed = isSigned(file, word(2))
        break
    }
    at += word(1)
  }
  return library
}

function textAt(file: Buffer, start: number): string {
  return file.toString('utf8', start, file.indexOf(0, start))
}

/** 0x000b0000 is 11.0. */
function version(packed: number): string {
  return `${packed >>> 16}.${(packed >>> 8) & 0xff}`
}

function readSymbols(
  file: Buffer,
  start: number,
  count: number,
  strings: number,
  into: DynamicLibrary,
): void {
  for (let at = start; at < start + count * 16; at += 16) {
    const type = file[at + 4] as number
    const external = (type & 0x01) !== 0
    const debugging = (type & 0xe0) !== 0
    if (!external || debugging) continue
    const defined = (type & 0x0e) !== 0
    const name = textAt(file, strings + file.readUInt32LE(at))
    if (defined) into.exported.push(name)
    else into.imported.push(name)
  }
}

/** The super blob has the offset of the code directory, which has a SHA-256 for every page before the signature. */
function isSigned(file: Buffer, superBlob: number): boolean {
  for (let index = 0; index < file.readUInt32BE(superBlob + 8); index++) {
    const directory = superBlob + file.readUInt32BE(superBlob + 16 + index * 8)
    if (file.readUInt32BE(directory) !== CODE_DIRECTORY) continue
    const hashes = directory + file.readUInt32BE(directory + 16)
    const pages = file.readUInt32BE(directory + 28)
    const end = file.readUInt32BE(directory + 32)
    const pageSize = 2 ** (file[directory + 39] as number)
    for (let page = 0; page < pages; page++) {
      const bytes = file.subarray(page * pageSize, Math.min((page + 1) * pageSize, end))
      const said = file.subarray(hashes + page * 32, hashes + (page + 1) * 32)
      if (!createHash('sha256').update(bytes).digest().equals(said)) return false
    }
    return pages > 0
  }
  return false
}
