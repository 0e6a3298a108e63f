const HEADER = 64
const ELF = 0x7f454c46

/**
 * Runs `load`, during which no addon is loaded from a truncated file. The operating system would map such a file, and
 * end the process with SIGBUS at the first access beyond its end.
 */
export function wholeFilesOnly<T>(load: () => T): T {
  const { dlopen } = process
  process.dlopen = (module, path, ...flags) => {
    if (isCutShort(path)) throw new Error(`${path} is cut short`)
    dlopen.call(process, module, path, ...flags)
  }
  try {
    return load()
  } finally {
    process.dlopen = dlopen
  }
}

/** Whether an ELF file ends before the last part that its header declares, which is the table of sections. */
function isCutShort(path: string): boolean {
  try {
    // An import would also load parts of the module that Node itself loads only when they are needed.
    const { closeSync, fstatSync, openSync, readSync } = process.getBuiltinModule('node:fs')
    const file = openSync(path, 'r')
    try {
      const header = Buffer.alloc(HEADER)
      if (readSync(file, header, 0, HEADER, 0) < HEADER || header.readUInt32BE(0) !== ELF) return false
      const sections = header.readUInt16LE(0x3a) * header.readUInt16LE(0x3c)
      return header.readBigUInt64LE(0x28) + BigInt(sections) > fstatSync(file).size
    } finally {
      closeSync(file)
    }
  } catch {
    return false // The code that loads the file reports why it cannot be read.
  }
}
