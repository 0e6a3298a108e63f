// Generates docs/api.md from index.d.cts, redis.d.cts, postgres.d.cts and testing.d.cts: every public name with its declaration and
// its comment.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import ts from 'typescript'

import { root } from '../run.mjs'

/** The entries of the package, with the file that declares each. */
const ENTRIES = {
  'os-ipc': 'index.d.cts',
  'os-ipc/redis': 'redis.d.cts',
  'os-ipc/postgres': 'postgres.d.cts',
  'os-ipc/testing': 'testing.d.cts',
}
const TARGET = join(root, 'docs', 'api.md')

/** The names that a reader wants first; the others follow in the order of index.d.cts. */
const FIRST = [
  'Limit',
  'Permit',
  'Semaphore',
  'locks',
  'LockManager',
  'Channel',
  'SharedMemory',
  'list',
  'ftok',
  'capabilities',
  'settings',
  'IpcError',
]

const printer = ts.createPrinter({ removeComments: true })
const texts = Object.values(ENTRIES).map(name => readFileSync(join(root, name), 'utf8'))
/** All declarations together; no name is in two entries. */
const file = ts.createSourceFile('all.d.ts', texts.join(''), ts.ScriptTarget.Latest, true)

/** The anchor of every heading, by the name in a `{@link}`. */
const anchors = new Map()
/** The number of uses of an anchor: GitHub numbers repeated anchors. */
const wanted = new Map()

export function apiPage() {
  const exported = new Set(
    file.statements
      .filter(ts.isExportDeclaration)
      .flatMap(({ exportClause }) => exportClause.elements.map(({ name }) => name.text)),
  )
  const declared = new Map(file.statements.filter(isDeclaration).map(node => [declaredName(node), node]))
  const others = [...declared.keys()].filter(name => exported.has(name) && !FIRST.includes(name))
  const values = [...FIRST, ...others.filter(name => !isType(declared.get(name)))]
  const types = others.filter(name => isType(declared.get(name)))
  const names = [...values, ...types]
  const sections = names.map(name => {
    const node = declared.get(name)
    if (node === undefined || !exported.has(name)) throw new Error(`nothing exports ${name}`)
    return { name, node, members: membersOf(node) }
  })
  for (const { name, members } of sections) {
    anchors.set(name, anchor(name))
    for (const member of members) anchors.set(`${name}.${nameOf(member)}`, anchor(title(name, member)))
  }
  const all = Object.keys(ENTRIES)
  const page = [
    '# API',
    'Generated from `index.d.cts`, `redis.d.cts`, `postgres.d.cts` and `testing.d.cts` by `npm run docs`: do not edit.',
    ...all.flatMap(entry => contents(entry, sections.slice(0, values.length))),
    'The [types](#types) are at the end.',
    ...sections.slice(0, values.length).flatMap(section),
    '## Types',
    ...all.map(entry => typesOf(entry, sections.slice(values.length))),
    ...sections.slice(values.length).flatMap(section),
  ]
  return `${page.join('\n\n')}\n`
}

/** What an entry exports: its classes, functions and values, each with its first sentence and its methods. */
function contents(entry, sections) {
  const rows = sections
    .filter(({ node }) => entryOf(node) === entry)
    .map(part => `| ${link(part)} | ${text(firstSentence(part.node), part.name)} | ${methods(part)} |`)
  return [
    `**\`import { ... } from '${entry}'\`**`,
    `| name | what it is | its methods |\n| --- | --- | --- |\n${rows.join('\n')}`,
  ]
}

/** The names of the types of an entry. */
function typesOf(entry, sections) {
  const own = sections.filter(({ node }) => entryOf(node) === entry)
  return `Of \`${entry}\`: ${own.map(link).join(', ')}.`
}

function link({ name }) {
  return `[\`${name}\`](#${anchors.get(name)})`
}

/** The names of the methods that a reader calls, each once. */
function methods({ members }) {
  const called = members.filter(member => ts.isMethodDeclaration(member) || ts.isMethodSignature(member))
  const names = new Set(called.map(nameOf).filter(name => !name.startsWith('[')))
  return [...names].map(name => `\`${name}\``).join(' ')
}

function isType(node) {
  return ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)
}

/** The first sentence of a comment, on one line of a table. */
function firstSentence(node) {
  const [paragraph = ''] = commentText(node).split('\n\n')
  const line = paragraph.replaceAll('\n', ' ').replaceAll('|', '\\|')
  return /^.*?[.:](?= |$)/.exec(line)?.[0].replace(/:$/, '.') ?? line
}

function section({ name, node, members }) {
  const isInterface = ts.isInterfaceDeclaration(node)
  const properties = isInterface ? node.members.filter(ts.isPropertySignature) : []
  const isCallable = isInterface && node.members.some(ts.isCallSignatureDeclaration)
  const hasHead = (isInterface && !isCallable) || ts.isClassDeclaration(node)
  return [
    `## ${name}`,
    ...from(node),
    code(hasHead ? headOf(node) : print(node)),
    ...commentOf(node, name),
    ...(properties.length > 0 ? [properties.map(member => property(member, name)).join('\n')] : []),
    ...members.flatMap(member => [
      `### ${title(name, member)}`,
      code(overloads(node, member).map(print).join('\n')),
      ...commentOf(member, name),
    ]),
  ]
}

/** The entry that a name is imported from. */
function entryOf(node) {
  let end = 0
  const index = texts.findIndex(text => {
    end += text.length
    return node.pos < end
  })
  return Object.keys(ENTRIES)[index]
}

/** The entry of a name, if it is not the package itself. */
function from(node) {
  const entry = entryOf(node)
  return entry === 'os-ipc' ? [] : [`From \`${entry}\`.`]
}

/** All declarations of a member; the first has the comment. */
function overloads(node, member) {
  if (!ts.isMethodSignature(member)) return [member]
  return node.members.filter(other => ts.isMethodSignature(other) && nameOf(other) === nameOf(member))
}

/** The declaration without its members. */
function headOf(node) {
  const heritage = node.heritageClauses?.map(clause => ` ${clause.getText(file)}`).join('') ?? ''
  return `${ts.isClassDeclaration(node) ? 'class' : 'interface'} ${node.name.text}${heritage}`
}

function property(member, owner) {
  const optional = member.questionToken ? ', optional' : ''
  const type = print(member.type).replace(/ \| undefined$/, optional ? '' : '$&')
  return `- \`${nameOf(member)}\`: \`${type}\`${optional}. ${text(commentText(member), owner)}`.trimEnd()
}

/** The comment's sentences, parameters, results, errors and examples. */
function commentOf(node, owner) {
  const parts = [text(commentText(node), owner)]
  const list = []
  for (const tag of ts.getJSDocTags(node)) {
    const content = () => text(tagText(tag), owner)
    switch (tag.tagName.text) {
      case 'param':
        list.push(`- \`${tag.name.text}\`: ${content().replace(/^- /, '')}`)
        break
      case 'returns':
        list.push(`- Returns: ${content()}`)
        break
      case 'throws': {
        const type = tag.typeExpression ? `\`${tag.typeExpression.type.getText(file)}\`: ` : ''
        list.push(`- Throws: ${type}${content()}`)
        break
      }
      case 'see':
        list.push(`- See: ${content()}`)
        break
      case 'example':
        if (list.length > 0) parts.push(list.splice(0).join('\n'))
        parts.push(tagText(tag))
        break
      default:
        throw new Error(`a tag that docs.mjs does not know: @${tag.tagName.text}`)
    }
  }
  if (list.length > 0) parts.push(list.join('\n'))
  return parts.filter(part => part !== '')
}

function commentText(node) {
  return ts.getTextOfJSDocComment(ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc)?.comment) ?? ''
}

function tagText(tag) {
  return (ts.getTextOfJSDocComment(tag.comment) ?? '').trim()
}

/** Markdown with its links: to an address, or to a name of this page. */
function text(comment, owner) {
  return comment
    .replaceAll(/\{@link\s+(https?:\S+?)\s+([^}]+)\}/g, '[$2]($1)')
    .replaceAll(/\{@link\s+([\w.]+)\}/g, (_, name) => {
      const target = anchors.get(name) ?? anchors.get(`${owner}.${name}`)
      if (target === undefined) throw new Error(`a link to nothing: ${name}`)
      return `[\`${name}\`](#${target})`
    })
    .trim()
}

/** The members with a separate heading: members of a class, methods of an interface. */
function membersOf(node) {
  if (ts.isInterfaceDeclaration(node)) {
    return node.members.filter(
      member => ts.isMethodSignature(member) && overloads(node, member)[0] === member,
    )
  }
  if (!ts.isClassDeclaration(node)) return []
  return node.members.filter(
    member =>
      !ts.isPrivateIdentifier(member.name ?? node.name) &&
      !(ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private),
  )
}

function title(owner, member) {
  if (ts.isConstructorDeclaration(member)) return `new ${owner}()`
  const isStatic = ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static
  const object = isStatic ? owner : owner[0].toLowerCase() + owner.slice(1)
  const name = nameOf(member)
  const call = ts.isMethodDeclaration(member) || ts.isMethodSignature(member) ? '()' : ''
  return name.startsWith('[') ? `${object}${name}${call}` : `${object}.${name}${call}`
}

function nameOf(member) {
  return ts.isConstructorDeclaration(member) ? 'constructor' : member.name.getText(file)
}

function isDeclaration(node) {
  return (
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isVariableStatement(node)
  )
}

function declaredName(node) {
  return (ts.isVariableStatement(node) ? node.declarationList.declarations[0] : node).name.text
}

function print(node) {
  return printer
    .printNode(ts.EmitHint.Unspecified, node, file)
    .replace(/^declare /, '')
    .replace(/;$/, '')
}

const code = source => `\`\`\`ts\n${source}\n\`\`\``

/** A heading's anchor, as GitHub makes it. */
function anchor(heading) {
  const slug = heading
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, '')
    .replaceAll(' ', '-')
  const before = wanted.get(slug) ?? 0
  wanted.set(slug, before + 1)
  return before === 0 ? slug : `${slug}-${before}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, apiPage())
