import { usage } from '../core/failure.js'

/** An address is itself, or `env:NAME`: what is on a command line, passwords too, every user of the host can read. */
export function addressOf(text: string, option: string): string {
  const [, variable] = /^env:(.*)$/s.exec(text) ?? []
  if (variable === undefined) return text
  const address = process.env[variable]
  if (address === undefined || address === '')
    throw usage(`the environment has no ${variable}`, `${option} wants an address, or env:NAME`)
  return address
}
