// Generates docs/cli.md from the commands' own tables: the text of `os-ipc COMMAND --help` as a page.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { COMMANDS } from '../../cli/commands.js'
import { optionRows } from '../../cli/core/help.js'
import { usageLine } from '../../cli/core/usage.js'
import { root } from '../run.mjs'

const TARGET = join(root, 'docs', 'cli.md')
const INTRODUCTION = join(root, 'scripts/docs/cli.md')

export async function cliPage() {
  const commands = await Promise.all(
    COMMANDS.map(async entry => ({ ...(await entry.load()), summary: entry.summary })),
  )
  const page = [
    '# The command line',
    'Generated from the commands by `npm run docs`: do not edit. The introduction is `scripts/docs/cli.md`.',
    '| command | does |\n| --- | --- |\n' +
      commands.map(({ name, summary }) => `| [\`${name}\`](#os-ipc-${name}) | ${summary} |`).join('\n'),
    readFileSync(INTRODUCTION, 'utf8').trim(),
    ...commands.flatMap(section),
  ]
  return `${page.join('\n\n')}\n`
}

function section(command) {
  return [
    `## os-ipc ${command.name}`,
    `\`\`\`\n${usageLine(command)}\n\`\`\``,
    ...command.description.map(text),
    rows(
      'argument',
      command.operands.map(({ name, help }) => [`\`${name}\``, text(help)]),
    ),
    rows(
      'option',
      optionRows(command.options).map(([option, help]) => [`\`${option.trim()}\``, text(help)]),
    ),
    `\`\`\`sh\n${command.examples.map(([line, what]) => `${line}  # ${what}`).join('\n')}\n\`\`\``,
    rows(
      'exit code',
      command.exits.map(([code, meaning]) => [code, text(meaning)]),
    ),
  ].filter(part => part !== '')
}

function rows(title, cells) {
  if (cells.length === 0) return ''
  return [`| ${title} | |`, '| --- | --- |', ...cells.map(([name, help]) => `| ${name} | ${help} |`)].join(
    '\n',
  )
}

/** Converts terminal text into Markdown. */
function text(help) {
  return help.replaceAll(/[|*_<>\\]/g, '\\$&')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, await cliPage())
