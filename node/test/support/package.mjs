// The package as a user installs it: from the tarball that `npm pack` makes.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url))
export const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url))
export const DOCS = fileURLToPath(new URL('../../../docs/', import.meta.url))

const exec = promisify(execFile)

/** A folder of its own with `from` copied into it and the packed package installed; it is gone after the test. */
export async function installed(t, { from, files = {}, install = [] } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'surehook-package-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const copied = (source) => !/[\\/](node_modules|\.next)([\\/]|$)|package-lock\.json$|\.db$/.test(source.slice(from.length))
  if (from) cpSync(from, directory, { recursive: true, filter: copied })
  else writeFileSync(join(directory, 'package.json'), '{"private":true}')
  write(directory, files)
  const { stdout } = await exec('npm', ['pack', PACKAGE, '--pack-destination', directory, '--json', '--loglevel=error'], { cwd: directory })
  const tarball = join(directory, JSON.parse(stdout)[0].filename)
  await exec('npm', ['install', tarball, ...install, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: directory })
  return directory
}

/** Writes files by their paths. */
export function write(directory, files) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
}

/** Runs a program in a folder to its end. */
export async function run(directory, command, args, env = {}) {
  const child = spawn(command, args, { cwd: directory, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { output += chunk })
  const [code] = await once(child, 'close')
  return { code, output }
}

/** Starts a server and waits for the address it prints; `stop` ends it as an operator would. */
export async function startServer(t, directory, command, args, env) {
  const child = spawn(command, args, { cwd: directory, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const ended = once(child, 'exit')
  const url = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
        const [, port] = /(?:127\.0\.0\.1|localhost):(\d+)/.exec(output) ?? []
        if (port) resolve(`http://127.0.0.1:${port}`)
      })
    }
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${output}`)))
  })
  const server = {
    url,
    output: () => output,
    post: (path, body, headers) => fetch(url + path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } }),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
  t.after(() => server.stop())
  return server
}

/** The fenced blocks of a page of the documentation, by language. */
export function snippets(markdown, language) {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, text]) => text)
}
