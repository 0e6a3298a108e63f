/** The program that runs this code. Electron and NW.js are Node with another event loop around it; Bun and Deno are not Node. */
export const runtime =
  (['bun', 'deno', 'electron', 'nw'] as const).find(name => name in process.versions) ?? 'node'
