// Reads the headers of a library of Windows: PE32+, 64 bits, little-endian (the PE format of Microsoft).

import { readFileSync } from 'node:fs'

export interface WindowsLibrary {
  machine: 'x86-64' | 'arm64' | number
  /** The libraries that the loader brings in, in lower case. */
  needed: string[]
  exported: string[]
  /** The functions that it imports by name. */
  imported: string[]
  /** The oldest Windows that the header declares: `6.0` is Windows Vista. */
  minimum: string
  /** Whether Windows may load it at any address of 64 bits, and whether its data is not executable. */
  hardened: boolean
  /** Whether it holds the symbols of a debugger. */
  hasSymbols: boolean
}

interface Section {
  address: number
  size: number
  offset: number
}

const MACHINES: Record<number, WindowsLibrary['machine']> = { 34404: 'x86-64', 43620: 'arm64' }
/** HIGH_ENTROPY_VA, DYNAMIC_BASE and NX_COMPAT of the field DllCharacteristics. */
const HARDENED = 0x20 | 0x40 | 0x100
const BY_NUMBER = 1n << 63n

export function readPe(path: string): WindowsLibrary {
  const file = readFileSync(path)
  const header = file.readUInt32LE(0x3c)
  if (file.toString('latin1', header, header + 4) !== 'PE\0\0') throw new Error(`${path}: no PE`)
  const optional = header + 24
  if (file.readUInt16LE(optional) !== 0x20b) throw new Error(`${path}: no PE of 64 bits`)
  const sections = readSections(
    file,
    optional + file.readUInt16LE(header + 20),
    file.readUInt16LE(header + 6),
  )
  const at = (address: number): number => {
    const found = sections.find(
      section => address >= section.address && address < section.address + section.size,
    )
    if (!found) throw new Error(`${path}: no section has the address ${address}`)
    return found.offset + address - found.address
  }
  const text = (address: number): string => {
    const start = at(address)
    return file.toString('latin1', start, file.indexOf(0, start))
  }
  /** The address of a table: 0 is that of the exports, 1 of the imports, 13 of the delayed imports. */
  const table = (index: number): number => file.readUInt32LE(optional + 112 + index * 8)

  const [needed, imported]: [string[], string[]] = [[], []]
  for (let entry = at(table(1)); file.readUInt32LE(entry + 12) !== 0; entry += 20) {
    needed.push(text(file.readUInt32LE(entry + 12)).toLowerCase())
    for (let name = at(file.readUInt32LE(entry)); file.readBigUInt64LE(name) !== 0n; name += 8) {
      const value = file.readBigUInt64LE(name)
      if ((value & BY_NUMBER) === 0n) imported.push(text(Number(value) + 2))
    }
  }
  if (table(13) !== 0) throw new Error(`${path}: has delayed imports, which this does not read`)
  const exports = at(table(0))
  const names = at(file.readUInt32LE(exports + 32))
  const exported = Array.from({ length: file.readUInt32LE(exports + 24) }, (_, index) =>
    text(file.readUInt32LE(names + 4 * index)),
  )
  const machine = file.readUInt16LE(header + 4)
  return {
    machine: MACHINES[machine] ?? machine,
    needed,
    exported,
    imported,
    minimum: `${file.readUInt16LE(optional + 48)}.${file.readUInt16LE(optional + 50)}`,
    hardened: (file.readUInt16LE(optional + 70) & HARDENED) === HARDENED,
    hasSymbols: file.readUInt32LE(header + 12) !== 0,
  }
}

function readSections(file: Buffer, start: number, count: number): Section[] {
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * 40
    return {
      address: file.readUInt32LE(at + 12),
      size: file.readUInt32LE(at + 8),
      offset: file.readUInt32LE(at + 20),
    }
  })
}
