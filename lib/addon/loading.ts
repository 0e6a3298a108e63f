import { IpcError } from '../errors.js'
import { requireByName } from '../require.js'
import { wholeFilesOnly } from './whole-files.js'

/** The platforms that have a binary; the names are those of their packages. */
const PLATFORMS = [
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
  'win32-arm64-msvc',
]

/** The oldest version that the package supports: the same as `engines` in package.json. */
const NODE = { major: 22, minor: 12 }

/** The reason why the addon did not load, and the remedy: a sentence each. */
interface Diagnosis {
  cause: string
  cure: string
}

const OTHER_VERSION = 'its version differs from that of the package'

/** The facts of a failed load: all that the loader tried, and the parts of this package that are installed. */
interface Attempt {
  /** `'linux-x64'` */
  host: string
  /** The platform whose package the loader looked for. */
  wanted: string | undefined
  /** The platforms whose packages are installed. */
  installed: readonly string[]
  /** Whether the loader takes this Node for one of MSYS2, whose addons are others than those of Node for Windows. */
  ofMsys: boolean
  /** The error messages of the binaries that are installed, in the order in which the loader tried them. */
  refusals: readonly string[]
  /** The file that NAPI_RS_NATIVE_LIBRARY_PATH names. When it is set, the loader tries nothing else. */
  override: string | undefined
}

type Native = typeof import('../../native.cjs')

/** The failure to load the addon. */
export class LoadingFailure {
  readonly message: string
  readonly #cure: string
  readonly #cause: unknown

  constructor({ cause, cure }: Diagnosis, error: unknown) {
    this.message = `${cause} ${cure}`
    this.#cure = cure
    this.#cause = error
  }

  /** A new error for each call that needs the addon, so that its stack shows that call. */
  error(): IpcError {
    return new IpcError('ERR_NATIVE_BINDING', this.message, { hint: this.#cure, cause: this.#cause })
  }
}

/** Loads the addon. It never throws: a program can read what this platform supports, and run without the addon. */
export function load(): { native: Native } | { failure: LoadingFailure } {
  try {
    // The path is relative to the bundle that contains this code. It is a literal, so that bundlers and file tracers find the binary.
    return { native: wholeFilesOnly(() => complete(require('../native.cjs'))) }
  } catch (error) {
    const attempt = investigate(error)
    const native = byName(attempt)
    return native ? { native } : { failure: new LoadingFailure(diagnose(error, attempt), error) }
  }
}

/** The addon, if it has every function that this code calls. The loader gives the list of names and accepts any binary. */
function complete(native: Native): Native {
  const missing = Object.entries(native).find(([, value]) => value === undefined)
  if (missing) throw new Error(`${OTHER_VERSION}: it has no function ${missing[0]}`)
  return native
}

/**
 * Loads the binary by its file name, where the loader found nothing although the package is there: an executable of Bun
 * does not read the package.json that names the file.
 */
function byName({ wanted, installed, refusals }: Attempt): Native | undefined {
  if (refusals.length > 0 || !isThere(wanted, installed)) return undefined
  try {
    return wholeFilesOnly(() => requireByName(`os-ipc-${wanted}/os-ipc.${wanted}.node`)) as Native
  } catch {
    return undefined
  }
}

function diagnose(error: unknown, attempt: Attempt): Diagnosis {
  return (
    unsupported(attempt) ??
    bundled(error) ??
    forbidden(attempt) ??
    oldLibrary(attempt) ??
    noSuchFile(attempt) ??
    notExecutable(attempt) ??
    otherPlatform(attempt) ??
    oldNode(attempt) ??
    leftOut(attempt) ??
    otherVersion(attempt) ??
    damaged(attempt)
  )
}

function investigate(error: unknown): Attempt {
  const messages = chain(error)
  const text = messages.join('\n')
  return {
    host: `${process.platform}-${process.arch}`,
    wanted: PLATFORMS.find(platform => text.includes(`os-ipc.${platform}.node`)),
    installed: PLATFORMS.filter(isInstalled),
    ofMsys: text.includes('os-ipc.win32-x64-gnu.node'),
    refusals: messages.filter(message => !/^Cannot find (module|native binding)/.test(message)),
    override: override(),
  }
}

function override(): string | undefined {
  try {
    return process.env['NAPI_RS_NATIVE_LIBRARY_PATH'] || undefined
  } catch {
    return undefined // Deno without --allow-env
  }
}

/** The loader's error messages. The generated loader links them into one chain, the last first, and keeps only the messages. */
function chain(error: unknown): string[] {
  const errors = new Set<Error>()
  for (let next = error; next instanceof Error && !errors.has(next); next = next.cause) errors.add(next)
  return [...errors].map(({ message }) => message).reverse()
}

function isInstalled(platform: string): boolean {
  try {
    requireByName(`os-ipc-${platform}/package.json`)
    return true
  } catch {
    return false
  }
}

function unsupported({ host, ofMsys }: Attempt): Diagnosis | undefined {
  if (ofMsys) {
    return {
      cause: 'os-ipc has no binary for the Node.js of MSYS2.',
      cure: 'Use the Node.js for Windows of nodejs.org.',
    }
  }
  if (PLATFORMS.some(platform => platform === host || platform.startsWith(`${host}-`))) return undefined
  return {
    cause: `os-ipc runs on Linux, macOS and Windows, on x64 and arm64, and not on ${host}.`,
    cure: host.startsWith('win32')
      ? 'Use a Node.js for x64 or arm64.'
      : 'Use a socket (node:net) for messages and a lock file for exclusion, or build it from source.',
  }
}

/** A bundler copied the JavaScript and left out what it cannot read. */
function bundled(error: unknown): Diagnosis | undefined {
  const { code, message } = error as NodeJS.ErrnoException
  const leftBehind = code === 'MODULE_NOT_FOUND' && /native\.cjs/.test(message.split('\n')[0] ?? '')
  // The function that esbuild puts in the place of `require` in a bundle of ES modules.
  if (!leftBehind && !/^Dynamic require of /.test(message)) return undefined
  return {
    cause: 'os-ipc is inside a bundle, and a bundle cannot contain its native addon.',
    cure: 'Declare os-ipc as external in the bundler, and install it where the bundle runs.',
  }
}

function forbidden({ refusals }: Attempt): Diagnosis | undefined {
  const flag = find(refusals, /run again with the (--allow-\w+) flag/)?.[1]
  if (flag !== undefined) {
    const cause = 'Deno did not allow the native addon of os-ipc to be loaded:'
    const cure = 'Run it with --allow-ffi, --allow-read and --allow-env'
    // Where Deno cannot read the file that names the C library, the loader asks the system for it.
    return flag === '--allow-sys'
      ? {
          cause: `${cause} --allow-read is missing, for /usr/bin/ldd.`,
          cure: `${cure}, and with --allow-sys where there is no such file.`,
        }
      : { cause: `${cause} ${flag} is missing.`, cure: `${cure}.` }
  }
  if (find(refusals, /addons is disabled/)) {
    return process.permission === undefined
      ? {
          cause: 'Node runs with --no-addons, and os-ipc is an addon.',
          cure: 'Start Node without --no-addons.',
        }
      : {
          cause: "Node's permission model (--permission) does not allow addons, and os-ipc is one.",
          cure: 'Add --allow-addons. An addon can then do everything that the process may do.',
        }
  }
  if (find(refusals, /Access to this API has been restricted/)) {
    return {
      cause: "Node's permission model (--permission) does not let the addon of os-ipc be read.",
      cure: 'Add --allow-fs-read for the folder node_modules, and --allow-addons.',
    }
  }
  return undefined
}

function oldLibrary({ refusals }: Attempt): Diagnosis | undefined {
  const version = find(refusals, /version [`'](GLIBC_[\d.]+)' not found/)?.[1]
  if (version === undefined) return undefined
  return {
    cause: `The C library of this system is too old for the binary of os-ipc: it needs ${version.replace('_', ' ')}.`,
    cure: 'Use a newer system or container image, or build os-ipc from source on this one.',
  }
}

function noSuchFile({ override, refusals }: Attempt): Diagnosis | undefined {
  if (override === undefined || refusals.length > 0) return undefined
  return {
    cause: `NAPI_RS_NATIVE_LIBRARY_PATH names a file that does not exist: ${override}.`,
    cure: 'Unset it, or give it the absolute path of the .node file of os-ipc.',
  }
}

function notExecutable({ refusals }: Attempt): Diagnosis | undefined {
  const refusal = find(refusals, /(.*): failed to map segment from shared object/)
  if (!refusal) return undefined
  return {
    cause: `The system does not execute the binary of os-ipc in its folder: ${refusal[1]}.`,
    cure: 'Install it into a file system that is not mounted noexec.',
  }
}

function otherPlatform({ wanted, installed, refusals }: Attempt): Diagnosis | undefined {
  if (refusals.length > 0 || installed.length === 0 || isThere(wanted, installed)) return undefined
  const there = installed.map(platform => `os-ipc-${platform}`).join(', ')
  return {
    cause: `node_modules was installed on another platform: it has ${there}, and this is ${wanted}.`,
    cure: 'Install where the program runs (npm ci) instead of copying node_modules.',
  }
}

/** On an old Node.js, npm leaves out the optional dependencies and warns only of the package itself. */
function oldNode({ wanted, installed, refusals }: Attempt): Diagnosis | undefined {
  const [major = 0, minor = 0] = process.version.slice(1).split('.').map(Number)
  const isNew = major > NODE.major || (major === NODE.major && minor >= NODE.minor)
  if (isNew || refusals.length > 0 || isThere(wanted, installed)) return undefined
  return {
    cause: `os-ipc needs Node.js ${NODE.major}.${NODE.minor} or later, and this is ${process.version}.`,
    cure: 'Use a newer Node.js, and install again with it (npm ci).',
  }
}

function leftOut({ wanted, installed, refusals }: Attempt): Diagnosis | undefined {
  if (refusals.length > 0 || isThere(wanted, installed)) return undefined
  return {
    cause: `The package os-ipc-${wanted}, an optional dependency of os-ipc with its binary, is not installed.`,
    cure: 'Install optional dependencies too: npm install --include=optional, and if that is not enough, delete node_modules and package-lock.json first.',
  }
}

function otherVersion({ refusals, wanted }: Attempt): Diagnosis | undefined {
  const refusal =
    find(refusals, new RegExp(`${OTHER_VERSION}.*`)) ?? find(refusals, /binding package version mismatch.*/i)
  if (!refusal) return undefined
  return {
    cause: `The binary of os-ipc for ${wanted ?? 'this platform'} does not fit this package: ${refusal[0].trim().split('\n')[0]?.replace(/\.$/, '')}.`,
    cure: 'Delete node_modules and install again (npm ci), so that both have one version.',
  }
}

function damaged({ wanted, refusals, override }: Attempt): Diagnosis {
  const [reason = 'its package is installed, and lacks the file'] = refusals[0]?.trim().split('\n') ?? []
  const complaint = reason.replace(/\.$/, '')
  if (override !== undefined) {
    return {
      cause: `The file that NAPI_RS_NATIVE_LIBRARY_PATH names does not load: ${complaint}.`,
      cure: 'Unset it, or give it the path of the .node file of os-ipc for this platform.',
    }
  }
  return {
    cause: `The binary of os-ipc for ${wanted} does not load, and may be damaged: ${complaint}.`,
    cure: 'Delete node_modules and install again (npm ci).',
  }
}

function isThere(wanted: string | undefined, installed: readonly string[]): boolean {
  return wanted !== undefined && installed.includes(wanted)
}

function find(messages: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  for (const message of messages) {
    const match = pattern.exec(message)
    if (match) return match
  }
  return undefined
}
