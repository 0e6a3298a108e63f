// Reads the headers of a shared library of Linux: ELF, 64 bits, little-endian (elf(5)).

import { readFileSync } from 'node:fs'

export interface SharedLibrary {
  machine: 'x86-64' | 'aarch64' | number
  /** NEEDED: the libraries that the loader brings in. */
  needed: string[]
  /** The symbols that the library exports. */
  exported: string[]
  /** The symbols that the library imports. */
  imported: string[]
  /** Versions of imported symbols: `GLIBC_2.17`. */
  versions: string[]
}

interface Section {
  type: number
  offset: number
  size: number
  link: number
}

const MACHINES: Record<number, SharedLibrary['machine']> = { 62: 'x86-64', 183: 'aarch64' }
const [SHT_DYNAMIC, SHT_DYNSYM, SHT_GNU_VERNEED] = [6, 11, 0x6ffffffe]
const DT_NEEDED = 1

export function readElf(path: string): SharedLibrary {
  const file = readFileSync(path)
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1)
    throw new Error(`${path}: no ELF64`)
  const sections = readSections(file)
  const only = (type: number): Section => {
    const found = sections.find(section => section.type === type)
    if (!found) throw new Error(`${path}: no section of type ${type}`)
    return found
  }
  const stringIn = (section: Section, at: number): string => {
    const start = (sections[section.link] as Section).offset + at
    return file.toString('utf8', start, file.indexOf(0, start))
  }

  const symbols = only(SHT_DYNSYM)
  const exported: string[] = []
  const imported: string[] = []
  for (let at = symbols.offset + 24; at < symbols.offset + symbols.size; at += 24) {
    const name = stringIn(symbols, file.readUInt32LE(at))
    if (file.readUInt16LE(at + 6) === 0) imported.push(name)
    else exported.push(name)
  }

  const dynamic = only(SHT_DYNAMIC)
  const needed: string[] = []
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
    if (file.readBigUInt64LE(at) === BigInt(DT_NEEDED)) {
      needed.push(stringIn(dynamic, Number(file.readBigUInt64LE(at + 8))))
    }
  }

  const machine = file.readUInt16LE(18)
  return {
    machine: MACHINES[machine] ?? machine,
    needed,
    exported,
    imported,
    versions: readVersions(
      file,
      sections.find(section => section.type === SHT_GNU_VERNEED),
      stringIn,
    ),
  }
}

function readSections(file: Buffer): Section[] {
  const start = Number(file.readBigUInt64LE(40))
  const [size, count] = [file.readUInt16LE(58), file.readUInt16LE(60)]
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * size
    return {
      type: file.readUInt32LE(at + 4),
      offset: Number(file.readBigUInt64LE(at + 24)),
      size: Number(file.readBigUInt64LE(at + 32)),
      link: file.readUInt32LE(at + 40),
    }
  })
}

/** A list of libraries, each with a list of versions; the entries of both hold the offset of the next entry. */
function readVersions(
  file: Buffer,
  section: Section | undefined,
  stringIn: (section: Section, at: number) => string,
): string[] {
  if (!section) return []
  const versions: string[] = []
  let library = section.offset
  for (;;) {
    let version = library + file.readUInt32LE(library + 8)
    for (let left = file.readUInt16LE(library + 2); left > 0; left--) {
      versions.push(stringIn(section, file.readUInt32LE(version + 8)))
      version += file.readUInt32LE(version + 12)
    }
    const next = file.readUInt32LE(library + 12)
    if (next === 0) return versions
    library += next
  }
}
