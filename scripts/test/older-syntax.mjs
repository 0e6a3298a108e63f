// `node --import scripts/test/older-syntax.mjs`: lets Node 22 run test files with `using`, which its V8 does not know yet.
// The package itself is compiled and does not contain it.

import { createRequire, registerHooks } from 'node:module'

const require = createRequire(import.meta.url)

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith('.ts') || url.includes('/node_modules/')) return loaded
    const source = String(loaded.source)
    if (!/\busing /.test(source)) return loaded
    const ts = require('typescript')
    const { outputText } = ts.transpileModule(source, {
      fileName: url,
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: false,
        inlineSourceMap: true,
      },
    })
    return { format: 'module', source: outputText, shortCircuit: true }
  },
})
